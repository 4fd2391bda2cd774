import math
from dataclasses import replace

import pytest

from grader.checks import Unmet, dense, layer
from grader.checks.architecture import JudgedModel
from grader.checks.data import Variables
from grader.checks.performance import HeldOut
from grader.checks.training import Training
from grader.checks.verdict import BrokenFactError
from grader.records import ArrayFacts
from grader.settings import AccuracyWanted, Thresholds


def unmet(expectation, *args, **kwargs):
    with pytest.raises(Unmet) as caught:
        expectation(*args, **kwargs)
    return caught.value


# ------------------------------------------------------------------ architecture


def test_layers_that_reshape_prepare_or_regularise_do_not_count(make):
    flatten = make.dense(kind="Flatten", role="plumbing", trainable_params=0)
    dropout = make.dense(kind="Dropout", role="regularisation", trainable_params=0)
    model = JudgedModel(make.card(flatten, make.dense(), dropout))
    model.expect_layers(dense(10, "softmax"))


def test_softmax_may_be_left_to_the_loss(make):
    linear = make.dense(activation="linear")
    model = JudgedModel(make.card(linear, compiled=make.compiled(from_logits=True)))
    model.expect_layers(dense(10, "softmax"))
    binary = make.compiled(loss="binary_crossentropy", from_logits=True)
    one = make.dense(units=1, activation="linear")
    JudgedModel(make.card(one, compiled=binary)).expect_layers(dense(1, "sigmoid"))


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"activation": "sigmoid"}, "Layer 1 has the activation sigmoid instead of softmax."),
        ({"units": 11}, "Layer 1 has 11 units instead of 10."),
        ({"kind": "Conv2D"}, "Layer 1 is Conv2D(10, softmax) instead of Dense(10, softmax)."),
    ],
)
def test_a_wrong_layer_is_pointed_at(make, changes, hint):
    model = JudgedModel(make.card(make.dense(**changes)))
    assert hint in unmet(model.expect_layers, dense(10, "softmax")).hint


def test_a_layer_too_many_and_one_too_few_are_named(make):
    model = JudgedModel(make.card(make.dense(512, "relu"), make.dense(10, inputs=512)))
    found = unmet(model.expect_layers, dense(10, "softmax"))
    assert found.hint == "Dense(512, relu) at the beginning is one too many."
    assert [line.mark for line in found.alignment] == ["extra", "same"]
    model = JudgedModel(make.card())
    found = unmet(model.expect_layers, dense(512, "relu"), dense(10, "softmax"))
    assert found.hint == "Layer 1, Dense(512, relu), is missing."
    assert [line.mark for line in found.alignment] == ["missing", "same"]


def test_settings_of_a_layer_can_be_wanted(make):
    conv = make.dense(kind="Conv2D", units=32, activation="relu", settings={"padding": "same"})
    model = JudgedModel(make.card(conv))
    model.expect_layers(layer("Conv2D", 32, "relu", padding="same"))
    found = unmet(model.expect_layers, layer("Conv2D", 32, "relu", padding="valid"))
    assert found.expected == "Conv2D(32, relu, padding=valid)"


def test_a_wrong_parameter_count_is_shown_layer_by_layer(make):
    bare = make.dense(trainable_params=7840, settings={"use_bias": False})
    found = unmet(JudgedModel(make.card(bare)).expect_trainable_params, 7850)
    assert found.received == "7,840"
    assert "Dense(10, softmax, use_bias=False): 7,840" in found.hint
    assert "one parameter for each unit" in found.hint


def test_frozen_parameters_are_named(make):
    frozen = make.dense(trainable_params=0, non_trainable_params=7850)
    found = unmet(JudgedModel(make.card(frozen)).expect_trainable_params, 7850)
    assert "7,850 parameters are frozen" in found.hint


def test_what_a_model_is_can_be_asked(make):
    model = JudgedModel(make.card())
    assert (model.params, model.input_shape, model.output_shape) == (7850, (None, 784), (None, 10))
    assert model.compiled.loss == "categorical_crossentropy"
    assert [layer.kind for layer in model.layers] == ["Dense"]


# ------------------------------------------------------------------ training

ONE_HOT = ArrayFacts(shape=(60000, 10), dtype="float32", minimum=0.0, maximum=1.0, one_hot=True)
INTEGERS = ArrayFacts(shape=(60000,), dtype="uint8", minimum=0.0, maximum=9.0)
COLUMN = ArrayFacts(shape=(60000, 1), dtype="int64", minimum=0.0, maximum=9.0)
TWICE = ArrayFacts(shape=(60000, 10), dtype="float32", minimum=0.0, maximum=2.0, one_hot=False)
CCE, SCCE = "categorical_crossentropy", "sparse_categorical_crossentropy"
BCE, MSE = "binary_crossentropy", "mean_squared_error"


@pytest.mark.parametrize(
    ("task", "units", "activation", "loss", "from_logits", "labels", "wrong"),
    [
        ("multiclass", 10, "softmax", CCE, False, ONE_HOT, None),
        ("multiclass", 10, "softmax", SCCE, False, INTEGERS, None),
        ("multiclass", 10, "softmax", SCCE, False, COLUMN, None),
        ("multiclass", 10, "linear", CCE, True, ONE_HOT, None),
        ("multiclass", 10, "linear", SCCE, True, INTEGERS, None),
        ("multiclass", 10, "softmax", CCE, False, None, None),
        ("multiclass", 10, "softmax", CCE, False, INTEGERS, "one-hot labels"),
        ("multiclass", 10, "softmax", SCCE, False, ONE_HOT, "integer labels"),
        ("multiclass", 10, "softmax", CCE, False, TWICE, "a single 1 among zeros"),
        ("multiclass", 10, "softmax", CCE, True, ONE_HOT, "either softmax or from_logits"),
        ("multiclass", 10, "linear", CCE, False, ONE_HOT, "softmax on the last layer, or"),
        ("multiclass", 10, "sigmoid", CCE, False, ONE_HOT, "softmax on the last layer"),
        ("multiclass", 10, "relu", SCCE, False, INTEGERS, "softmax on the last layer"),
        ("multiclass", 10, "softmax", BCE, False, ONE_HOT, "categorical_crossentropy or"),
        ("multiclass", 10, "softmax", MSE, False, ONE_HOT, "categorical_crossentropy or"),
        ("multiclass", 10, "softmax", "", False, ONE_HOT, "categorical_crossentropy or"),
        ("binary", 1, "sigmoid", BCE, False, COLUMN, None),
        ("binary", 1, "linear", BCE, True, COLUMN, None),
        ("binary", 2, "softmax", SCCE, False, INTEGERS, None),
        ("binary", 1, "softmax", BCE, False, COLUMN, "sigmoid on the last layer"),
        ("binary", 1, "sigmoid", MSE, False, COLUMN, "binary_crossentropy"),
        ("multilabel", 5, "sigmoid", BCE, False, None, None),
        ("multilabel", 5, "softmax", BCE, False, None, "sigmoid on the last layer"),
        ("regression", 1, "linear", MSE, False, None, None),
        ("regression", 1, "relu", MSE, False, None, "a linear output"),
        ("regression", 1, "linear", BCE, False, None, "mean_squared_error or"),
    ],
)
def test_output_loss_and_labels_are_judged_together(
    make, task, units, activation, loss, from_logits, labels, wrong
):
    model = make.card(make.dense(units, activation))
    compiled = make.compiled(loss=loss, from_logits=from_logits)
    fits = Training((make.fit(compiled=compiled, y=labels),), model)
    if wrong is None:
        fits.expect_output_loss_and_labels_match(task)
    else:
        found = unmet(fits.expect_output_loss_and_labels_match, task)
        assert wrong in found.expected
        assert found.hint


def test_a_model_that_was_never_trained_says_so(make):
    fits = Training((), make.card())
    assert len(fits) == 0
    for expectation in (fits.expect_trained, fits.expect_scaled_inputs):
        assert unmet(expectation).expected == "a call of `fit` on the model"


def test_a_loop_of_ones_own_is_training_too(make):
    found = replace(make.execution().models[0], fits=0, updates=500)
    fits = Training((), make.card(), found)
    fits.expect_trained(epochs=3)
    fits.expect_scaled_inputs()
    fits.expect_samples(at_least=50_000)
    fits.expect_multi_hot_inputs(10_000)
    fits.expect_output_loss_and_labels_match("multiclass")
    wrong = replace(found, compiled=make.compiled(loss=MSE))
    assert (
        MSE
        in unmet(
            Training((), make.card(), wrong).expect_output_loss_and_labels_match, "multiclass"
        ).received
    )
    idle = Training((), make.card(), replace(found, updates=0))
    assert unmet(idle.expect_trained).received == "none"


def test_epochs_and_updates_add_up_over_trainings(make):
    fits = Training((make.fit(), make.fit()), make.card())
    assert (fits.epochs, fits.updates) == (10, 4690)
    fits.expect_trained(epochs=10)
    assert "10 finished epochs" in unmet(fits.expect_trained, epochs=11).received


def test_a_training_that_broke_off_says_so(make):
    broken = make.fit(completed=False, history={"loss": (0.5,)})
    found = unmet(Training((broken,), make.card()).expect_trained, epochs=3)
    assert "did not return" in found.hint


def test_a_loss_that_is_no_number_names_the_epoch(make):
    fits = Training((make.fit(history={"loss": (1.0, math.nan, math.nan)}),), make.card())
    assert "nan from epoch 2 on" in unmet(fits.expect_trained).received


@pytest.mark.parametrize(
    ("low", "high", "mean", "hint"),
    [
        (0.0, 1.0, 0.13, None),
        (-1.0, 1.0, -0.7, None),
        (-0.42, 2.82, 0.0, None),
        (-3.2, 244.9, 0.001, None),
        (0.0, 255.0, 33.0, "Divide"),
        (0.0, 0.0039, 0.0005, "divided twice"),
        (math.nan, math.nan, math.nan, "gives NaN"),
    ],
)
def test_inputs_of_moderate_size_are_scaled(make, low, high, mean, hint):
    x = ArrayFacts(shape=(100, 784), dtype="float32", minimum=low, maximum=high, mean=mean)
    fits = Training((make.fit(x=x),), make.card())
    if hint is None:
        fits.expect_scaled_inputs()
    else:
        assert hint in unmet(fits.expect_scaled_inputs).hint


def test_a_model_may_scale_by_itself_and_a_pipeline_is_not_judged(make):
    raw = ArrayFacts(shape=(100, 784), dtype="uint8", minimum=0.0, maximum=255.0, mean=33.0)
    rescaling = make.dense(kind="Rescaling", role="preprocessing", trainable_params=0)
    Training((make.fit(x=raw),), make.card(rescaling, make.dense())).expect_scaled_inputs()
    Training((make.fit(x=None),), make.card()).expect_scaled_inputs()


def test_multi_hot_inputs_are_zeros_and_ones_of_the_right_width(make):
    def fits(**changes):
        x = ArrayFacts(shape=(25000, 10000), dtype="float32", minimum=0.0, maximum=1.0)
        return Training((make.fit(x=ArrayFacts(**{**_fields(x), **changes})),), make.card())

    fits().expect_multi_hot_inputs(10_000)
    assert "shape" in unmet(fits(shape=(25000, 256)).expect_multi_hot_inputs, 10_000).received
    assert "0…17" in unmet(fits(maximum=17.0).expect_multi_hot_inputs, 10_000).received
    assert "0…?" in unmet(fits(maximum=None).expect_multi_hot_inputs, 10_000).received
    Training((make.fit(x=None),), make.card()).expect_multi_hot_inputs(10_000)


def _fields(facts):
    return {name: getattr(facts, name) for name in facts.__dataclass_fields__}


def test_trained_samples_leave_out_the_validation_split(make):
    fits = Training((make.fit(validation_split=1 / 6),), make.card())
    fits.expect_samples(at_least=50_000)
    assert unmet(fits.expect_samples, at_least=50_001).received == "50,000"
    fits.expect_samples(at_least=1, at_most=50_000)
    more = unmet(fits.expect_samples, at_least=1, at_most=49_999)
    assert (more.expected, more.received) == ("at most 49,999 training samples", "50,000")
    assert "kept back" in more.hint
    Training((make.fit(x=None),), make.card()).expect_samples(at_least=1)


# ------------------------------------------------------------------ performance and data


def test_accuracy_is_a_floor_and_shows_its_sample_size(make):
    held_out = HeldOut(make.measurement())
    held_out.expect_accuracy(at_least=0.92)
    found = unmet(held_out.expect_accuracy, at_least=0.95)
    assert found.expected == "an accuracy of at least 95.0 % on held-out data"
    assert found.received == "92.0 % of 10,000 (91.5–92.5)"


def floor(at_least):
    return Thresholds(accuracy=AccuracyWanted(at_least=at_least))


def test_the_floor_of_accuracy_may_stand_in_the_assignments_settings_alone(make):
    HeldOut(make.measurement(), floor(0.92)).expect_accuracy()
    found = unmet(HeldOut(make.measurement(), floor(0.95)).expect_accuracy)
    assert found.expected == "an accuracy of at least 95.0 % on held-out data"
    with pytest.raises(BrokenFactError, match=r"no \[thresholds.accuracy\]"):
        HeldOut(make.measurement()).expect_accuracy()


def test_too_low_an_accuracy_names_the_best_and_the_worst_class(make):
    held_out = HeldOut(make.measurement(value=0.7, per_class=(0.9, 0.31, 0.97)))
    hint = unmet(held_out.expect_accuracy, at_least=0.9).hint
    assert hint == "It is right for 97 % of class 2, but only for 31 % of class 1."


def test_too_large_an_error_says_how_far_answers_are_off(make):
    held_out = HeldOut(make.measurement(metric="mean_squared_error", value=0.09, per_class=()))
    hint = unmet(held_out.expect_error, at_most=0.02).hint
    assert hint == "An answer is off by about 0.3: the root of that."


def test_a_constant_or_non_finite_answer_is_named(make):
    constant = HeldOut(make.measurement(value=0.1, constant=True))
    assert "learnt nothing" in unmet(constant.expect_accuracy, at_least=0.9).hint
    broken = HeldOut(make.measurement(value=0.1, non_finite=7))
    assert "7 answers are not numbers" in unmet(broken.expect_accuracy, at_least=0.9).hint


def test_each_class_must_be_recognised(make):
    shares = (0.9, 0.3, 0.95)
    held_out = HeldOut(make.measurement(per_class=shares))
    held_out.expect_each_class(at_least=0.3)
    assert unmet(held_out.expect_each_class, at_least=0.5).received == "30.0 % in class 1"


def test_nothing_measured_fails_with_its_reason(make):
    held_out = HeldOut(make.measurement(value=None, problem="The model gives 1 number."))
    assert unmet(held_out.expect_accuracy, at_least=0.1).hint == "The model gives 1 number."


def test_arrays_are_found_by_name_or_the_names_that_are_there_are_listed():
    variables = Variables({"x_train": INTEGERS, "y": ONE_HOT})
    assert "y" in variables
    assert "z" not in variables
    assert list(variables) == ["x_train", "y"]
    variables.expect_shape("y", (60000, 10))
    variables.expect_shape("y", (None, 10))
    found = unmet(variables.expect_shape, "y", (10,))
    assert (found.received, found.hint) == ("shape (60000, 10)", "It has 2 axes instead of 1.")
    assert unmet(variables.expect_shape, "y", (None, 12)).hint.startswith("Axis 1 has another")
    assert "`x_train`, `y`" in unmet(variables.__getitem__, "z").received
    assert unmet(Variables({}).__getitem__, "z").received == "no arrays"
