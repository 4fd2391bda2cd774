"""What is noted for the instructor, and what is not: honest work must have no flag."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from grader.alike import Likeness, alike, likeness
from grader.assignment import read_assignment
from grader.flags import flags
from grader.records import ArrayFacts, EvaluationRecord, Flag, Judged, RowFacts
from grader.report.terminal import MOST_FLAGGED, show_class, show_one
from grader.tally import tally

X = ArrayFacts(shape=(60000, 784), dtype="float32")


def rows(total=10_000, *, from_test=0):
    return RowFacts(
        total=total,
        looked_at=1000,
        known=1000,
        from_test=from_test,
        repeated=0,
        labelled=1000,
        labels_right=1000,
    )


@pytest.fixture
def flagged(make, assignment_folder, little_toml):
    """Flag evidence: ``flagged(extra_toml, **evidence)`` → its flags by kind."""

    def go(toml="", **changes):
        assignment = read_assignment(assignment_folder(little_toml + toml, "x = 1"))
        return {flag.kind: flag for flag in flags(make.evidence(**changes), assignment)}

    return go


def measured(make, value, samples=10_000, **changes):
    low, high = value - 0.01, value + 0.01
    return make.measurement(value=value, low=low, high=high, samples=samples, **changes)


# ------------------------------------------------------------------ where the weights are from


@pytest.mark.parametrize(
    ("found", "fits", "value", "kinds"),
    [
        ({"fits": 1, "updates": 2345, "by_fit": True}, ({},), 0.92, set()),
        ({"fits": 1, "updates": 2345}, ({},), 0.92, set()),  # nobody could tell
        ({"fits": 0, "updates": 60}, (), 0.92, {"no_recorded_fit"}),
        ({"fits": 0, "updates": 0}, (), 0.92, {"no_recorded_fit"}),  # weights without an optimizer
        ({"fits": 0, "updates": 0}, (), 0.11, set()),  # forgot to train: the checks say so
        ({"fits": 1, "updates": 9999, "by_fit": False}, ({},), 0.92, {"changed_after_fit"}),
        ({"fits": 1, "updates": 9999, "by_fit": True}, ({},), 0.92, {"changed_after_fit"}),
        # compiled anew, the optimizer counts from zero
        ({"fits": 2, "updates": 2345, "by_fit": True}, ({}, {}), 0.92, set()),
        (
            {"fits": 1, "updates": 0, "by_fit": True},
            ({"changed": False, "updates": 0},),
            0.92,
            {"fit_changed_nothing"},
        ),
        ({"fits": 2, "updates": 2345}, ({"changed": False}, {"changed": True}), 0.92, set()),
        # `fit` raised before its first update
        (
            {"fits": 1, "by_fit": False},
            ({"changed": False, "completed": False, "updates": 0},),
            0.12,
            set(),
        ),
        (
            {"fits": 1, "by_fit": False},
            ({"changed": False, "completed": False, "updates": 0},),
            0.92,
            {"no_recorded_fit"},
        ),
    ],
)
def test_weights_that_no_recorded_training_explains(make, flagged, found, fits, value, kinds):
    model = replace(make.execution().models[0], **found)
    own = tuple(make.fit(history={}, **each) for each in fits)
    execution = make.execution(models=(model,), fits=own)
    assert set(flagged(execution=execution, measurement=measured(make, value))) == kinds


def test_files_of_weights_that_were_handed_in_along_are_named(make, flagged):
    model = replace(make.execution().models[0], fits=0, updates=60)
    flag = flagged(
        execution=make.execution(models=(model,), fits=()),
        submission=make.submission(files={"best.weights.h5": b"", "notes.txt": b""}),
    )["no_recorded_fit"]
    assert flag.evidence["files_handed_in"] == ["best.weights.h5"]
    assert "best.weights.h5" in flag.sentence
    assert "notes" not in flag.sentence


# ------------------------------------------------------------------ what it answers


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"answered": 10}, set()),
        ({"answered": 1, "constant": True}, {"constant"}),
        ({"answered": 1, "constant": True, "non_finite": 10_000}, set()),
        ({"answered": 7}, {"missing_classes"}),
        ({"answered": None}, set()),
        # who has hardly learnt gives few classes, and the checks say so
        ({"answered": 5, "value": 0.2, "low": 0.19, "high": 0.21}, set()),
        ({"value": None, "low": None, "high": None, "constant": True}, set()),
    ],
)
def test_a_model_that_hardly_looks_at_its_inputs(make, flagged, changes, kinds):
    silent = make.execution(fits=(make.fit(history={}),))
    found = flagged(execution=silent, measurement=make.measurement(**changes))
    assert set(found) == kinds
    if "missing_classes" in found:
        assert found["missing_classes"].evidence["classes_answered"] == 7
        assert "7 of 10 classes" in found["missing_classes"].sentence


# ------------------------------------------------------------------ what was claimed

SPLIT = {"validation": "split", "validation_split": 0.2, "validation_shared": 0}
SEEN = {"validation": "data", "validation_rows": rows(from_test=10_000)}
UNSEEN = {"validation": "data", "validation_rows": rows(), "validation_shared": 0}


@pytest.mark.parametrize(
    ("fit", "history", "value", "is_flagged"),
    [
        (SPLIT, {"val_accuracy": (0.5, 0.93)}, 0.92, False),
        (SPLIT, {"val_accuracy": (0.5, 0.99)}, 0.92, True),
        (UNSEEN, {"val_acc": (0.99,)}, 0.92, True),
        # what is served as the test set has been learnt: over-fitting, and no claim
        (SEEN, {"val_accuracy": (1.0,)}, 0.65, False),
        (SEEN, {"val_accuracy": (1.0,)}, 0.11, True),
        ({}, {"accuracy": (1.0,)}, 0.65, False),
        ({}, {"accuracy": (1.0,)}, 0.11, True),
        ({}, {"top_5_accuracy": (1.0,)}, 0.11, False),
        (SPLIT, {"val_accuracy": (float("nan"),), "accuracy": (0.9,)}, 0.9, False),
        (SPLIT, {"val_accuracy": (7.0,)}, 0.92, True),  # no share at all
        # six of six is luck
        (
            {**SPLIT, "x": ArrayFacts(shape=(30, 784), dtype="float32")},
            {"val_accuracy": (1.0,)},
            0.85,
            False,
        ),
    ],
)
def test_a_history_is_noted_only_beyond_chance_and_over_fitting(
    make, flagged, fit, history, value, is_flagged
):
    own = make.fit(history=history, **fit)
    found = flagged(execution=make.execution(fits=(own,)), measurement=measured(make, value))
    assert set(found) == ({"history_above_measured"} if is_flagged else set()) | (
        {"validated_on_test"} if fit is SEEN else set()
    )


@pytest.mark.parametrize(
    ("trained", "claimed", "value", "is_flagged"),
    [
        (0.92, 0.92, 0.92, False),
        (1.0, 1.0, 0.65, False),  # over-fitted: the served test rows were learnt
        (0.60, 0.75, 0.62, False),  # dropout is off when it is evaluated
        (0.92, 0.999, 0.92, True),
        (0.35, 1.0, 0.33, True),
        (float("nan"), 0.9, 0.62, False),
        (None, 0.9, 0.62, False),
        (None, 1.0, 0.12, True),
    ],
)
def test_an_evaluation_is_noted_only_where_training_does_not_explain_it(
    make, flagged, trained, claimed, value, is_flagged
):
    history = {"loss": (0.3,)} if trained is None else {"accuracy": (trained,)}
    one = EvaluationRecord(
        model=0,
        cell=4,
        after_fits=1,
        x=X,
        y=None,
        samples=10_000,
        results={"loss": 0.1, "accuracy": claimed},
        completed=True,
        rows=rows(from_test=10_000),
    )
    execution = make.execution(fits=(make.fit(history=history),), evaluations=(one,))
    found = flagged(execution=execution, measurement=measured(make, value))
    assert ("evaluation_above_measured" in found) == is_flagged
    before = make.execution(
        fits=(make.fit(history=history),), evaluations=(replace(one, after_fits=0),)
    )
    assert "evaluation_above_measured" not in flagged(
        execution=before, measurement=measured(make, value)
    )


# ------------------------------------------------------------------ rows, methods, several models


def test_rows_of_the_test_set_are_counted_where_they_were_learnt_from(make, flagged):
    fits = (
        make.fit(cell=3, rows=rows(60_000)),
        make.fit(cell=5, rows=rows(70_000, from_test=10_000)),
    )
    found = flagged(execution=make.execution(fits=fits))
    assert found["trained_on_test"].evidence == {"rows": 70_000, "from_test": 10_000, "cell": 5}
    assert "validated_on_test" not in found
    for nothing in (None, 2):  # nobody can tell; and rows in another order, by chance
        fits = (make.fit(rows=rows(60_000, from_test=nothing)),)
        assert not flagged(execution=make.execution(fits=fits))


def test_replaced_methods_are_named(make, flagged):
    found = flagged(execution=make.execution(patched=("evaluate", "fit")))
    assert found["patched"].sentence.count("`evaluate`, `fit` of `keras.Model`") == 1


def test_each_of_several_models_is_looked_at(make, flagged):
    first = make.execution().models[0]
    second = replace(first, number=1, fits=0, updates=7)
    execution = make.execution(models=(first, second))
    judged = Judged(number=1, card=make.card(), measurement=measured(make, 0.5, constant=True))
    found = flagged(execution=execution, others={"small": judged})
    assert set(found) == {"no_recorded_fit", "constant"}
    assert all(flag.evidence["model"] == "small" for flag in found.values())
    same = Judged(number=0, card=make.card(), measurement=make.measurement())
    assert not flagged(others={"same": same})


# ------------------------------------------------------------------ the extra set

EXTRA = '\n[extra]\ntransform = "noise"\nmargin = 0.05\n'


@pytest.mark.parametrize(
    ("main", "extra", "is_flagged"), [(0.92, 0.91, False), (0.99, 0.93, False), (0.99, 0.9, True)]
)
def test_an_extra_set_is_noted_beyond_both_intervals_and_the_margin(
    make, flagged, main, extra, is_flagged
):
    found = flagged(
        EXTRA, measurement=measured(make, main), extra=measured(make, extra, samples=500)
    )
    assert set(found) == ({"extra_below"} if is_flagged else set())
    if is_flagged:
        assert found["extra_below"].evidence["extra"] == extra
        assert found["extra_below"].evidence["extra_samples"] == 500
        assert "90.0 % of 500" in found["extra_below"].sentence


# ------------------------------------------------------------------ a class

HONEST = Likeness(student="ada", work="1", answers="a", losses=(0.5, 0.3))


@pytest.mark.parametrize(
    ("others", "names"),
    [
        ([], {}),
        # the same network, trained alike from the same seed, gives the same answers
        ([{"work": "2"}], {}),
        ([{"work": "1", "losses": ()}], {}),
        ([{"work": "2", "answers": "b", "losses": ()}], {}),
        ([{"work": "2", "losses": ()}], {"ada": ["bob"], "bob": ["ada"]}),
        ([{"work": "2", "losses": (0.1,)}], {"ada": ["bob"], "bob": ["ada"]}),
        ([{"work": "2"}, {"work": "3", "losses": ()}], {"ada": ["cy"], "bob": ["cy"],
                                                       "cy": ["ada", "bob"]}),
    ],
)  # fmt: skip
def test_the_same_answers_are_noted_where_neither_code_nor_training_explains_them(others, names):
    members = [
        HONEST,
        *(
            replace(HONEST, student=student, **other)
            for student, other in zip(("bob", "cy"), others, strict=False)
        ),
    ]
    found = alike(members)
    assert {student: flag.evidence["students"] for student, flag in found.items()} == names


def test_answers_that_tell_nothing_are_not_compared(make):
    evidence = make.evidence()
    assert likeness(evidence, "1").losses == (0.9, 0.5, 0.4, 0.35, 0.33)
    constant = make.evidence(measurement=make.measurement(constant=True))
    assert likeness(constant, "1") is None
    assert likeness(make.evidence(measurement=None), "1") is None
    # before its training, a network is the same for everybody
    assert likeness(make.evidence(measurement=measured(make, 0.11)), "1") is None
    error = make.measurement(metric="mean_squared_error", value=0.5, low=0.4, high=0.6)
    assert likeness(make.evidence(measurement=error), "1") is not None
    untouched = replace(make.execution().models[0], fits=0, updates=0)
    execution = make.execution(models=(untouched,), fits=())
    assert likeness(make.evidence(measurement=error, execution=execution), "1") is None


# ------------------------------------------------------------------ who is told


@pytest.fixture
def report(make, assignment_folder, little_toml, bench):
    assignment = read_assignment(assignment_folder(little_toml, "x = 1"))
    return lambda **known: tally(make.evidence(**known), (), assignment, bench)


def printed(show, what):
    console = Console(width=200, file=io.StringIO())
    show(what, console)
    return console.file.getvalue()


def test_the_instructor_reads_a_line_and_the_student_none(make, report):
    made = report(measurement=make.measurement(constant=True))
    assert "⚑ ada: The judged model gives all 10,000" in printed(show_class, [made])
    assert "⚑" not in printed(show_one, made)
    assert "the same class" not in printed(show_one, made)
    assert "⚑" not in printed(show_class, [report()])


def test_a_large_class_is_not_scrolled_away(report):
    flag = Flag(kind="patched", sentence="Something \x1b[31mwas replaced.")
    made = replace(report(), flags=(flag,))
    text = printed(show_class, [made] * (MOST_FLAGGED + 3))
    assert text.count("Something was replaced.") == MOST_FLAGGED
    assert "3 more submissions" in text
