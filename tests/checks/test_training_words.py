"""The words for trainings and evaluations: what passes in every spelling, and what is said."""

import math
from dataclasses import replace

import pytest

from grader.checks.evaluations import Evaluations
from grader.checks.training import Training, Trainings
from grader.records import ArrayFacts, EvaluationRecord, RowFacts


def rows(total=60_000, **changes):
    facts = RowFacts(
        total=total,
        looked_at=total,
        known=total,
        from_test=0,
        repeated=0,
        labelled=total,
        labels_right=total,
    )
    return replace(facts, **changes)


CURVE = {
    "loss": (0.9, 0.5, 0.3, 0.2, 0.1),
    "accuracy": (0.6, 0.7, 0.8, 0.9, 0.95),
    "val_loss": (0.8, 0.5, 0.4, 0.5, 0.7),
    "val_accuracy": (0.6, 0.7, 0.8, 0.8, 0.8),
}
STOPPED = {"history": {"loss": (0.9, 0.5)}, "epochs": 5, "stopped_by": "seconds"}
AGAIN = {"continues": 0, "cell": 3}
PIPELINE = {"x": None, "y": None, "batch_size": None}


@pytest.fixture
def fits(make):
    def build(*changes):
        return Training(tuple(make.fit(**each) for each in changes), make.card())

    return build


EPOCHS = [
    ([{}], {"exactly": 5}, None),
    ([{}], {"at_least": 5, "at_most": 5}, None),
    ([{}, AGAIN], {"exactly": 10}, None),
    ([{}, {}], {"exactly": 5}, None),
    ([STOPPED], {"exactly": 5}, None),
    ([{}], {"exactly": 20}, "expected 20 epochs. Received: 5 epochs. Look at `epochs=`"),
    ([{}], {"at_least": 6}, "at least 6 epochs"),
    ([{}], {"at_most": 4}, "at most 4 epochs"),
    ([{}], {"at_least": 6, "at_most": 9}, "6 to 9 epochs"),
    ([{}, AGAIN], {"exactly": 5}, "a cell that is run again trains the same model further"),
    ([{"epochs": 20}], {"exactly": 20}, "`epochs=20`, but training ended before"),
]


@pytest.mark.parametrize(("trainings", "wanted", "wrong"), EPOCHS)
def test_epochs(fits, trainings, wanted, wrong, judge):
    judge(wrong, fits(*trainings).expect_epochs, **wanted)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, None),
        (PIPELINE, None),
        ({"batch_size": 64}, "batches of 64"),
        ({"batch_size": 32}, "what Keras takes when `fit` is not told"),
    ],
)
def test_batch_size(fits, change, wrong, judge):
    judge(wrong, fits(change).expect_batch_size, 128)


@pytest.mark.parametrize(
    ("trainings", "wrong"),
    [
        ([{}], None),
        ([PIPELINE], None),
        ([{"updates": 1000}, {"updates": 1345, **AGAIN}], None),
        ([{"updates": 9, **STOPPED}], None),
        ([{"updates": 469}], "An epoch has ⌈60,000 / 128⌉ = 469 updates, and there were 5 epochs"),
        (
            [{"updates": 1955, "validation": "split", "validation_split": 1 / 6}],
            "⌈50,000 / 128⌉ = 391 updates",
        ),
        ([{"updates": 7, **PIPELINE}], "batches times epochs: 5 epochs"),
    ],
)
def test_updates_show_their_arithmetic(fits, trainings, wrong, judge):
    judge(wrong, fits(*trainings).expect_updates, 2345)


@pytest.mark.parametrize(
    ("wanted", "change", "wrong"),
    [
        (("RMSprop",), {}, None),
        (("rmsprop",), {}, None),
        (("rms_prop", "Adam"), {}, None),
        (("Adam",), {}, "expected the optimizer Adam. Received: RMSprop."),
        (("RMSprop", 1e-4), {"learning_rate": 1e-4}, None),
        (("RMSprop", 1e-4), {"learning_rate": 9.999999e-5}, None),
        (("RMSprop", 1e-4), {}, "Received: RMSprop with 0.001."),
        (
            ("RMSprop", 1e-4),
            {"learning_rate": None, "schedule": "ExponentialDecay"},
            "the schedule ExponentialDecay",
        ),
        (("RMSprop", 1e-4), {"learning_rate": None}, "an unknown rate"),
    ],
)
def test_optimizer_and_rate(fits, make, wanted, change, wrong, judge):
    names = [name for name in wanted if isinstance(name, str)]
    rate = next((value for value in wanted if isinstance(value, float)), None)
    training = fits({"compiled": make.compiled(**change)})
    judge(wrong, training.expect_optimizer, *names, learning_rate=rate)


@pytest.mark.parametrize(
    ("found", "wanted", "wrong"),
    [
        ("mean_squared_error", "mse", None),
        ("mean_squared_error", "MeanSquaredError", None),
        ("mean_squared_error", "mean_squared_error", None),
        ("binary_crossentropy", "mse", "the loss mean_squared_error. Received: binary_cross"),
        ("", "mse", "no loss"),
    ],
)
def test_loss(fits, make, found, wanted, wrong, judge):
    judge(wrong, fits({"compiled": make.compiled(loss=found)}).expect_loss, wanted)


@pytest.mark.parametrize(
    ("metrics", "history", "wrong"),
    [
        (("accuracy",), {"loss": (1.0,)}, None),
        (("binary_accuracy",), {"loss": (1.0,)}, None),
        ((), {"loss": (1.0,), "acc": (0.5,)}, None),
        ((), {"loss": (1.0,)}, "the metric accuracy. Received: no metrics"),
        (("mean_absolute_error",), {"loss": (1.0,)}, "Received: mean_absolute_error"),
    ],
)
def test_metric(fits, make, metrics, history, wrong, judge):
    training = fits({"compiled": make.compiled(metrics=metrics), "history": history})
    judge(wrong, training.expect_metric, "accuracy")


HELD = ArrayFacts(shape=(10_000, 784), dtype="float32")
SPLIT = {"validation": "split", "validation_split": 1 / 6}
DATA = {"validation": "data", "validation_x": HELD}


@pytest.mark.parametrize(
    ("change", "how", "samples", "wrong"),
    [
        (SPLIT, "any", 10_000, None),
        (SPLIT, "split", None, None),
        (DATA, "data", 10_000, None),
        (DATA, "any", None, None),
        ({**DATA, "validation_x": None}, "data", 10_000, None),
        ({**SPLIT, **PIPELINE}, "any", 10_000, None),
        ({}, "any", None, "expected validation in `fit`. Received: none."),
        (SPLIT, "data", None, "by `validation_data=`. Received: `validation_split=`"),
        (SPLIT, "any", 5_000, "expected 5,000 validation samples. Received: 10,000."),
        (DATA, "any", 5_000, "Look at what was kept back"),
    ],
)
def test_validation(fits, change, how, samples, wrong, judge):
    judge(wrong, fits(change).expect_validation, how, samples=samples)


VALID = {"validation_rows": rows(10_000), "validation_shared": 0, "rows": rows()}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (VALID, None),
        ({}, None),
        ({**VALID, "validation_shared": None}, None),
        ({**VALID, "validation_shared": 96}, None),
        ({**VALID, "validation_shared": 10_000}, "10,000 of 10,000 validation samples were"),
    ],
)
def test_validation_apart_from_training(fits, change, wrong, judge):
    judge(wrong, fits(change).expect_validation_apart_from_training)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"rows": rows()}, None),
        ({"rows": rows(from_test=None)}, None),
        ({"rows": rows(from_test=40)}, None),
        ({}, None),
        ({"rows": rows(70_000, from_test=10_000)}, "10,000 of 70,000 training samples are from"),
    ],
)
def test_no_test_data_in_training(fits, change, wrong, judge):
    judge(wrong, fits(change).expect_no_test_data_in_training)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (VALID, None),
        ({}, None),
        ({"validation_rows": rows(10_000, from_test=None)}, None),
        ({"validation_rows": rows(10_000, from_test=10_000)}, "10,000 of 10,000 samples are from"),
    ],
)
def test_the_test_set_is_kept_for_the_end(fits, change, wrong, judge):
    judge(wrong, fits(change).expect_test_not_used_for_validation)


def test_a_test_set_used_before_a_loop_went_on_is_seen(fits, said):
    early = {"validation_rows": rows(10_000, from_test=10_000)}
    assert said(fits(early, AGAIN).expect_test_not_used_for_validation)
    assert not said(fits(early, {}).expect_test_not_used_for_validation)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"rows": rows()}, None),
        ({}, None),
        ({"rows": rows(labelled=0, labels_right=0)}, None),
        ({"rows": rows(labelled=100, labels_right=0)}, None),
        ({"rows": rows(labels_right=6_114)}, "10.2 % of 60,000 have theirs"),
        (
            {"rows": rows(), "validation_rows": rows(10_000, labels_right=976)},
            "validation samples with their own labels. Received: 9.8 % of 10,000",
        ),
    ],
)
def test_labels_belong_to_rows(fits, change, wrong, judge):
    judge(wrong, fits(change).expect_labels_belong_to_rows)


LOOP = {"cell": 2, "epochs": 1, "history": {"loss": (0.5,)}}


@pytest.mark.parametrize(
    ("trainings", "wrong"),
    [
        ([{}], None),
        ([{}, {}], None),
        ([LOOP, {**LOOP, "continues": 0}, {**LOOP, "continues": 0}], None),
        ([{}, AGAIN], "one that goes on from the training before"),
        ([{"epochs": 20}, {"epochs": 4, "continues": 0}], "goes on from the training before"),
        ([{"model": 1, "continues": 0}], "the weights of another trained model"),
    ],
)
def test_a_fresh_model(fits, trainings, wrong, judge):
    judge(wrong, fits(*trainings).expect_fresh_model)


@pytest.mark.parametrize(
    ("history", "wrong"),
    [
        (CURVE, None),
        ({"loss": (1,), "acc": (1,), "val_loss": (1,), "val_acc": (1,)}, None),
        (
            {"loss": (1,), "val_binary_accuracy": (1,), "binary_accuracy": (1,), "val_loss": (1,)},
            None,
        ),
        ({"loss": (1,), "accuracy": (1,)}, "only when `fit` has samples to validate on"),
        ({"loss": (1,), "val_loss": (1,)}, "is said in `compile`"),
        ({}, "an empty one"),
    ],
)
def test_history(fits, history, wrong, judge):
    wanted = ("loss", "accuracy", "val_loss", "val_accuracy")
    judge(wrong, fits({"history": history}).expect_history, *wanted)


def test_the_history_of_a_broken_training_says_so(fits, said):
    broken = fits({"history": {}, "completed": False})
    assert "did not return" in said(broken.expect_history, "loss")


@pytest.mark.parametrize(
    ("losses", "wrong"),
    [
        ((0.9, 0.5), None),
        ((0.9, 1.5, 0.8), None),
        ((0.9,), None),
        ((0.5, 0.5), "0.5 after the first epoch, 0.5 after the last"),
        ((0.5, math.nan), "nan after the last"),
    ],
)
def test_improvement(fits, losses, wrong, judge, said):
    training = fits({"history": {"loss": losses, "accuracy": losses}})
    judge(wrong, training.expect_improvement)
    if wrong is None and len(losses) > 1:
        assert "that rises" in said(training.expect_improvement, "acc")


@pytest.mark.parametrize(
    ("named", "tolerance", "wrong"),
    [
        (3, 0, None),
        (4.0, 1, None),
        (5, 2, None),
        (5, 1, "Received: 5. Epochs count from 1"),
        (True, 9, "True, which is no number"),
        ("three", 9, "'three', which is no number"),
    ],
)
def test_the_epoch_of_overfitting_is_ones_own(fits, named, tolerance, wrong, judge):
    training = fits({"history": CURVE})
    judge(wrong, training.expect_overfitting_epoch, named, tolerance=tolerance)
    assert training.best_epoch() == 3


def test_one_training_may_overfit_later_than_another(fits, said):
    late = fits({"history": {"val_loss": (0.9, 0.8, 0.7, math.nan, 0.6)}})
    trainings = Trainings({"small": late, "model": fits({"history": CURVE})})
    assert sorted(trainings) == ["model", "small"]
    trainings["small"].expect_later_overfitting_than(trainings["model"])
    words = said(trainings["model"].expect_later_overfitting_than, trainings["small"])
    assert "epoch 3 here, epoch 5 there" in words
    assert "`model`, `small`" in said(trainings.__getitem__, "large")
    assert said(fits({}).best_epoch)


def test_a_history_goes_on_over_the_calls_of_a_loop(fits):
    loop = [{**LOOP, "history": {"loss": (1 / n,)}} for n in range(1, 4)]
    training = fits({}, loop[0], *({**each, "continues": 0} for each in loop[1:]))
    assert training.series("loss") == (1.0, 0.5, 1 / 3)
    training.expect_epochs(exactly=3)


ALL = (
    ("expect_epochs", {"exactly": 5}),
    ("expect_batch_size", 128),
    ("expect_updates", 2345),
    ("expect_metric", "accuracy"),
    ("expect_validation",),
    ("expect_validation_apart_from_training",),
    ("expect_no_test_data_in_training",),
    ("expect_test_not_used_for_validation",),
    ("expect_labels_belong_to_rows",),
    ("expect_fresh_model",),
    ("expect_history", "loss"),
    ("expect_improvement",),
    ("expect_overfitting_epoch", 3),
    ("expect_optimizer", "RMSprop"),
    ("expect_loss", "categorical_crossentropy"),
)


@pytest.mark.parametrize("expectation", ALL)
def test_a_loop_of_ones_own_is_not_blamed_and_no_training_is(make, expectation, said):
    name, *arguments = expectation
    keywords = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
    found = replace(make.execution().models[0], fits=0, updates=2345)
    by_hand = Training((), make.card(), found)
    assert said(getattr(by_hand, name), *arguments, **keywords) is None
    idle = Training((), make.card(), replace(found, updates=0))
    assert "a call of `fit`" in said(getattr(idle, name), *arguments, **keywords)


def test_what_is_known_of_a_loop_of_ones_own_is_judged(make, said):
    found = replace(make.execution().models[0], fits=0, updates=800)
    by_hand = Training((), make.card(), found)
    assert "Received: 800" in said(by_hand.expect_updates, 2345)
    assert "Received: RMSprop" in said(by_hand.expect_optimizer, "Adam")
    never = Training((), make.card(), replace(found, compiled=None))
    never.expect_optimizer("Adam")
    never.expect_loss("mse")
    assert "not compiled" in said(
        Training((make.fit(compiled=None),), make.card()).expect_loss, "mse"
    )


# ------------------------------------------------------------------ evaluations

SCALED = ArrayFacts(shape=(10_000, 784), dtype="float32", minimum=0.0, maximum=1.0, mean=0.13)
RAW = replace(SCALED, maximum=255.0)
STANDARDISED = replace(SCALED, minimum=-0.42, maximum=2.82)


def evaluation(**changes):
    record = EvaluationRecord(
        model=0,
        cell=3,
        after_fits=1,
        x=SCALED,
        y=None,
        samples=10_000,
        results={"loss": 0.3, "accuracy": 0.9},
        completed=True,
        rows=rows(10_000, from_test=10_000),
    )
    return replace(record, **changes)


@pytest.fixture
def tested(make):
    def build(*changes, **fit):
        own = tuple(evaluation(**each) for each in changes)
        return Evaluations(own, Training((make.fit(**fit),), make.card()))

    return build


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        ([{}], None),
        ([{"after_fits": 0}, {}], None),
        ([{"after_fits": 0}], "the last one in cell 3, before `fit` was called in cell 2"),
        ([{"completed": False}], "one that raised an error"),
        ([], "Received: none"),
    ],
)
def test_an_evaluation_comes_after_training(tested, found, wrong, judge):
    judge(wrong, tested(*found).expect_after_training)


ON_TRAINING = {"rows": rows(10_000)}
PREDICTED = {"how": "predict", "y": None, "results": {}}
UNKNOWN = {"rows": rows(10_000, known=0, from_test=None)}


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        ([{}], None),
        ([{}, ON_TRAINING], None),
        ([PREDICTED], None),
        ([PREDICTED | ON_TRAINING], "that are not from the test set"),
        ([PREDICTED | {"samples": 1}, {}], None),
        ([UNKNOWN], None),
        ([{"rows": None, "samples": None, "x": None}], None),
        ([{"rows": rows(10_000, from_test=None)}], None),
        ([ON_TRAINING], "one on 10,000 samples that are not from the test set"),
        ([{"samples": 100}], "all 10,000 test samples. Received: 100 samples"),
        ([UNKNOWN | {"samples": 100}, ON_TRAINING], "Received: 100 samples"),
        ([{"after_fits": 0}], "after the last `fit`"),
    ],
)
def test_an_evaluation_is_on_the_test_set(tested, found, wrong, judge):
    judge(wrong, tested(*found).expect_on_test, samples=10_000)


@pytest.mark.parametrize(
    ("trained", "found", "wrong"),
    [
        (SCALED, [{}], None),
        (RAW, [{"x": RAW}], None),
        (SCALED, [{"x": None}], None),
        (None, [{"x": RAW}], None),
        (STANDARDISED, [{"x": replace(STANDARDISED, maximum=3.1)}], None),
        (SCALED, [{"x": replace(SCALED, maximum=0.9)}], None),
        (SCALED, [{"x": RAW}, {}], None),
        (SCALED, [{"x": RAW}], "test inputs of 0…1, as in training. Received: inputs of 0…255."),
        (SCALED, [{"x": RAW}, {"samples": 100}], "0…255"),
        (SCALED, [PREDICTED | {"x": RAW}], "0…255"),
        (SCALED, [{}, PREDICTED | {"x": RAW, "samples": 1}], None),
        (SCALED, [{"x": replace(SCALED, maximum=0.0039)}], "0…0.0039"),
        (STANDARDISED, [{}], "-0.42…2.82"),
    ],
)
def test_test_inputs_are_scaled_like_training_inputs(tested, trained, found, wrong, judge):
    judge(wrong, tested(*found, x=trained).expect_scaled_like_training)


def test_an_evaluation_in_a_loop_of_ones_own_is_not_asked_for(make):
    found = replace(make.execution().models[0], fits=0, updates=9)
    evaluations = Evaluations((), Training((), make.card(), found))
    evaluations.expect_after_training()
    evaluations.expect_on_test(samples=10_000)
    evaluations.expect_scaled_like_training()
    assert len(evaluations) == 0
