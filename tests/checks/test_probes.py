"""Answers of students' functions: every right spelling passes, every wrong one is explained."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks import output_mistakes, output_rows
from grader.checks.comparing import difference
from grader.checks.names import canonical, means
from grader.checks.probes import Probes
from grader.checks.slips import slip_of_numbers, slip_of_shape
from grader.checks.verdict import BrokenFactError, MissingFactError, Unmet
from grader.probes import Probe
from grader.records import CellRecord, ErrorFacts, GivenValue, ProbeAnswer, ProbeStep


def told(value, kind=None):
    """What the worker would tell of a value."""
    if isinstance(value, dict):
        items = tuple(map(told, value.values()))
        return GivenValue(kind="dict", type="dict", keys=tuple(map(str, value)), items=items)
    if value is None:
        return GivenValue(kind="none", type="NoneType")
    if isinstance(value, str):
        return GivenValue(kind="text", type="str", text=value)
    if isinstance(value, tuple) and any(isinstance(each, list) for each in value):
        return GivenValue(kind="tuple", type="tuple", items=tuple(map(told, value)))
    array = np.asarray(value)
    kinds = {int: "number", float: "number", bool: "boolean", list: "list", tuple: "tuple"}
    numbers = tuple(array.ravel().tolist())
    finite = array.size and np.isfinite(array).all()
    with np.errstate(over="ignore"):
        mean, std = (float(array.mean()), float(array.std())) if finite else (None, None)
    return GivenValue(
        kind=kind or kinds.get(type(value), "array"),
        type=type(value).__name__,
        shape=array.shape,
        dtype=str(array.dtype),
        numbers=numbers,
        mean=mean,
        std=std,
    )


@pytest.fixture(scope="session")
def probed(make):
    """Give an answer: ``probed(value, another step, …)`` as ``f([1, 2])`` had given it."""

    def go(*values, mutated=(), probe=None, **changes):
        probe = probe or Probe(call="f", arguments=([1, 2],), repeat=max(1, len(values)))
        steps = tuple(ProbeStep(value=told(value), mutated=mutated) for value in values)
        answer = replace(ProbeAnswer(outcome="answered", steps=steps), **changes)
        return Probes({"f": probe}, make.execution(probes={"f": answer}))["f"]

    return go


def refused(check, *args, **kwargs):
    with pytest.raises(Unmet) as caught:
        check(*args, **kwargs)
    return caught.value


EYE = np.eye(2)
RIGHT = [
    (EYE, [[1, 0], [0, 1]], {}),
    ([[1, 0], [0, 1]], EYE, {}),
    (EYE.astype("float32"), EYE, {}),
    (1, 1.0, {}),
    (np.float32(0.1), 0.1, {}),
    (True, True, {}),
    (np.array([[1], [2]]), [1, 2], {"squeeze": True}),
    ([5], 5, {"squeeze": True}),
    (np.array(5), 5, {}),
    (math.nan, math.nan, {}),
    ([math.inf, -math.inf], [math.inf, -math.inf], {}),
    ((4, 3, 2), [4, 3, 2], {}),
    ("relu", "relu", {}),
    (None, None, {}),
    ({"a": 1, "b": [1, 2]}, {"a": 1, "b": (1, 2)}, {}),
    (([1, 2], [3]), ([1, 2], [3]), {}),
    (1e9 + 1, 1e9, {}),
]


@pytest.mark.parametrize(("value", "wanted", "options"), RIGHT)
def test_what_is_the_same_is_equal_however_it_is_written(probed, value, wanted, options):
    probed(value).expect_equal(wanted, **options)


CALL_IT = "Type `f([1, 2])` into a cell of its own and follow it line by line."
WRONG = [
    (
        EYE,
        [[1, 0, 0], [0, 1, 0]],
        "of shape (2, 3)",
        "of shape (2, 2)",
        "Axis 1 has another length than wanted.",
    ),
    (np.zeros((3, 2)), np.zeros((2, 3)), "(2, 3)", "(3, 2)", "The axes are the other way round."),
    (
        np.array([[1], [2]]),
        [1, 2],
        "[1, 2], of shape (2,)",
        "[[1], [2]], of shape (2, 1)",
        "An axis of length 1 is too many.",
    ),
    (
        np.zeros((20, 2)),
        np.eye(20)[:, :2],
        "1 at [0, 0]",
        "of shape (20, 2): 0 at [0, 0]",
        "38 of 40 numbers are right.",
    ),
    ([0, 1, 3], [0, 1, 2], "[0, 1, 2]", "[0, 1, 3]: 3 at [2]", "2 of 3 numbers are right."),
    (0.6, 0.36, "0.36", "0.6", CALL_IT),
    (
        math.nan,
        0.5,
        "0.5",
        "nan",
        "A division by 0, a logarithm of 0 or a power too large for a float gives no number.",
    ),
    (None, 3, "3", "nothing (`None`)", "A function without `return` gives None."),
    ("3", 3, "3", "'3'", "A text is no number: leave the quotes out."),
    ({"a": 1}, {"a": 2}, "2 at 'a'", "1 at 'a'", "It is 1 too small."),
    (
        {"b": 1},
        {"a": 2},
        "an entry 'a'",
        "a dictionary with 'b'",
        "Keep the keys that the handout gives.",
    ),
    (
        ([1, 2], [3]),
        ([1, 2], [4]),
        "[4] as result 1",
        "[3]: 3 at [0] as result 1",
        "It is 1 too small.",
    ),
    (
        [1, 2],
        ([1, 2], [4]),
        "[1, 2], of shape (2,) as result 0",
        "1, of shape () as result 0",
        "One number is not enough: what is added up, or counted, that should stay?",
    ),
    (5.0, math.inf, "inf", "5", CALL_IT),
]


@pytest.mark.parametrize(("value", "wanted", "expected", "received", "hint"), WRONG)
def test_a_difference_is_told_with_the_call_shape_first_then_the_place(
    probed, value, wanted, expected, received, hint
):
    found = refused(probed(value).expect_equal, wanted)
    assert found.expected.startswith("`f([1, 2])` to give ")
    assert expected in found.expected
    assert received in found.received
    assert found.hint.startswith(hint)


SLIPS = [
    ([1.0, -2.0], [-1.0, 2.0], "Mind the sign: it is the other way round."),
    ([1.0, 2.0], [1.5, 2.5], "Every number is 0.5 too large."),
    (4.0, 3.0, "It is 1 too small."),
    (4.0, 2.5, ""),
    ([1.0, 2.0, 4.0], [3.0, 6.0, 12.0], "Every number is 3 times what is wanted."),
    ([1.0, 2.0, 4.0], [0.25, 0.5, 1.0], "Every number is what is wanted divided by 4."),
    (0.065, 0.26, "It is 4 times what is wanted."),
    (0.065, 0.013, "It is what is wanted divided by 5."),
    ([1.0, 2.0, 4.0], [4.0, 1.0, 2.0], "The right numbers, in another order."),
    ([1.0, 2.0], [1.003, 2.001], "Nearly: is something rounded, or left out that is small?"),
    ([1.0, 2.0, 4.0], [1.0, 2.0, 9.0], "2 of 3 numbers are right."),
    ([0.0, 0.0], [0.0, 3.0], "1 of 2 numbers are right."),
    ([1.0, 2.0], [5.0, 3.0], ""),
]


@pytest.mark.parametrize(("wanted", "found", "sentence"), SLIPS)
def test_what_leads_from_the_wanted_numbers_to_the_given_ones_is_said(wanted, found, sentence):
    assert slip_of_numbers(np.array(wanted), np.array(found)) == sentence


AXES = [
    ((2, 3), (3, 2), "The axes are the other way round."),
    ((), (3,), "One number is wanted, not one for each entry."),
    ((3,), (3, 1), "An axis of length 1 is too many."),
    ((1, 3), (3,), "An axis of length 1 is missing."),
    ((2, 6), (2, 2, 3), "As many numbers as wanted, in another shape."),
    ((2, 6), (2, 2, 2), "It has 3 axes instead of 2."),
    ((2, 6), (2, 7), "Axis 1 has another length than wanted."),
]


@pytest.mark.parametrize(("wanted", "found", "sentence"), AXES)
def test_what_leads_from_the_wanted_shape_to_the_given_one_is_said(wanted, found, sentence):
    assert slip_of_shape(wanted, found) == sentence


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9), st.data())
def test_every_wrong_answer_has_a_hint(probed, wanted, data):
    found = data.draw(st.lists(st.floats(), min_size=len(wanted), max_size=len(wanted)))
    answered = probed(np.array(found))
    if difference(wanted, answered.given) is not None:
        assert refused(answered.expect_equal, wanted).hint


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30),
    st.floats(0.01, 10),
    st.integers(0, 29),
)
def test_the_first_number_that_differs_is_found(numbers, off, place):
    place %= len(numbers)
    wrong = [*numbers]
    wrong[place] += off
    assert difference(numbers, told(np.array(numbers))) is None
    found = difference(numbers, told(np.array(wrong)))
    assert found is not None
    assert found.received.endswith(f"at [{place}]")


def test_a_foreseen_mistake_is_explained(probed):
    mistakes = {"0.6": "the difference, not its square", "[0, 1]": "the other class"}
    assert refused(probed(0.6).expect_equal, 0.36, mistakes=mistakes).hint == mistakes["0.6"]
    assert refused(probed([0, 1]).expect_equal, 0.36, mistakes=mistakes).hint == mistakes["[0, 1]"]
    assert refused(probed(7).expect_equal, 0.36, mistakes=mistakes).hint == CALL_IT
    pairs = [(np.zeros((2, 2)), "never filled")]
    assert (
        refused(probed(np.zeros((2, 2))).expect_equal, EYE, mistakes=pairs).hint == "never filled"
    )


def test_shapes_rows_bounds_and_spread(probed):
    rows = probed(np.array([[0.5, 0.5], [0.4, 0.5]]))
    rows.expect_shape((2, 2))
    assert refused(rows.expect_shape, (2, 10)).received == "shape (2, 2)"
    assert refused(probed("x").expect_shape, (2,)).received == "'x'"
    assert "row 1 sums to 0.9" in refused(rows.expect_rows_sum_to_one).received
    probed([0.25, 0.75]).expect_rows_sum_to_one()
    assert "NaN" in refused(probed([math.nan, 1.0]).expect_rows_sum_to_one).received
    assert refused(probed([-0.5, 1.5]).expect_rows_sum_to_one).received == "-0.5"
    rows.expect_between(0, 1)
    assert refused(rows.expect_between, 0, 0.45).received == "0.5"
    numbers = np.random.default_rng(0).normal(0, 0.1, (100, 100))
    probed(numbers).expect_spread(0.1)
    found = refused(probed(numbers).expect_spread, 0.2, mistakes={0.1: "half of it"})
    assert found.received.startswith("standard deviation 0.")
    assert found.hint == "half of it"
    assert "mean 1" in refused(probed(numbers + 1).expect_spread, 0.1).received


def test_a_changed_argument_is_told(probed):
    probed(1).expect_unchanged_input()
    found = refused(probed(1, mutated=("0", "v")).expect_unchanged_input)
    assert found.received == "argument 1, `v` was changed"


def test_steps_are_compared_one_by_one(probed):
    found = probed((0.8, -0.2), (0.46, -0.3))
    found.expect_close_at_step(1, (0.8, -0.2))
    found.expect_close_at_step(2, 0.46, result=0)
    wrong = refused(found.expect_steps, [(0.8, -0.2), (0.46, -0.34)])
    assert wrong.expected.endswith("to give [0.46, -0.34] in step 2")
    wrong = refused(found.expect_steps, [-0.2, -0.34], result=1, mistakes={"-0.3": "wrong sign"})
    assert (wrong.received, wrong.hint) == ("-0.3", "wrong sign")
    assert found.value == [0.46, -0.3]
    assert found.steps == ([0.8, -0.2], [0.46, -0.3])
    assert "as result 2" in refused(found.expect_close_at_step, 1, 0, result=2).expected


def test_steps_that_were_not_made_say_why(probed):
    twice = Probe(call="f", arguments=(1.0,), repeat=2)
    error = ErrorFacts(kind="ValueError", message="no", line=3, traceback="  line 3, in f: x\nV")
    found = probed(0.8, probe=twice, outcome="raised", error=error)
    found.expect_close_at_step(1, 0.8)
    missing = refused(found.expect_steps, [0.8, 0.4])
    assert missing.expected == "an answer of `f(1.0)` in step 2"
    assert missing.received == "ValueError: no"
    assert missing.hint == "It was raised at line 3, in f: x"


NOTHING = [
    ({"outcome": "timeout"}, "none within 5 s", "still running"),
    ({"outcome": "ended"}, "the end of its process", ""),
    ({"outcome": "unanswered"}, "none", "Another function"),
    ({"outcome": "missing", "problem": "f", "functions": ("g", "h")}, "`g`, `h`", "not defined"),
    ({"outcome": "no_function", "problem": "int"}, "'int'", "used again"),
    (
        {
            "outcome": "raised",
            "error": ErrorFacts(kind="NotImplementedError", message="", line=1, traceback=""),
        },
        "NotImplementedError",
        "as the handout has it",
    ),
]


@pytest.mark.parametrize(("changes", "received", "hint"), NOTHING)
def test_why_there_is_no_answer_is_told_by_every_expectation(probed, changes, received, hint):
    found = probed(**changes)
    for check in (found.expect_unchanged_input, found.expect_rows_sum_to_one):
        missing = refused(check)
        assert isinstance(missing, MissingFactError)
        assert received in missing.received
        assert hint in missing.hint
    assert received in refused(found.expect_equal, None).received, "None is no answer either"


def test_a_missing_name_is_explained_by_a_near_one_and_by_a_failed_cell(make):
    cells = (CellRecord(number=2, outcome="raised", seconds=0.0),)
    answer = ProbeAnswer(outcome="missing", problem="to_one_hot", functions=("to_onehot",))
    execution = make.execution(cells=cells, probes={"a": answer})
    missing = refused(Probes({"a": Probe(call="to_one_hot")}, execution)["a"].expect_equal, 1)
    assert "Is it `to_onehot`?" in missing.hint
    assert "Cell 2" in missing.hint


def test_whose_fault_a_missing_answer_is(make):
    probes = {"a": Probe(call="f")}
    with pytest.raises(BrokenFactError, match=r"no \[probes.b\]"):
        Probes(probes, make.execution())["b"]
    with pytest.raises(BrokenFactError, match="was not asked"):
        Probes(probes, make.execution())["a"]
    unreadable = make.execution(ending="unreadable", problem="The file is empty.")
    assert refused(Probes(probes, unreadable)["a"].expect_equal, 1).hint == "The file is empty."


# ------------------------------------------------------------------ answers to questions


@pytest.mark.parametrize(
    "given", [0.36, "0.36", "9/25", " .36 ", np.float32(0.36), [0.36], "36 %"], ids=repr
)
def test_a_number_may_be_written_in_many_ways(probed, given):
    probed(given).expect_number(0.36, also=("36 %",))


@pytest.mark.parametrize("given", ["407,050", 407050, "407_050", 407050.0], ids=repr)
def test_thousands_may_be_set_apart(probed, given):
    probed(given).expect_number(407_050)


@pytest.mark.parametrize(
    ("given", "received", "hint"),
    [
        (0.6, "0.6", "not squared"),
        ("0.60", "'0.60'", "not squared"),
        ("?", "'?'", "Write it in digits"),
        (2, "2", "line by line"),
    ],
)
def test_a_wrong_number_is_not_told_the_right_one(probed, given, received, hint):
    found = refused(probed(given).expect_number, 0.36, mistakes={"0.6": "not squared"})
    assert "0.36" not in found.expected
    assert found.received == received
    assert hint in found.hint


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Softmax", "softmax"),
        ("tf.nn.softmax", "softmax"),
        ("mse", "mean_squared_error"),
        ("Mean Squared Error", "mse"),
        ("keras.losses.MeanSquaredError()", "mean_squared_error"),
        ("binary cross-entropy", "binary_crossentropy"),
        ("binomial crossentropy", "bce"),
        ("one hot", "one-hot"),
        ("Integers.", "integer"),
        ("None", "linear"),
    ],
)
def test_names_are_compared_by_their_meaning(text, wanted):
    assert means(text, wanted)
    assert not means(text, "hinge")


def test_a_choice_is_explained_and_not_told(probed):
    probed("logistic").expect_choice("sigmoid")
    probed(None).expect_choice("linear")
    mistakes = {"softmax": "one unit alone always gives 1"}
    found = refused(probed("Softmax").expect_choice, "sigmoid", mistakes=mistakes)
    assert (found.received, found.hint) == ("'Softmax'", mistakes["softmax"])
    assert "sigmoid" not in found.expected
    assert refused(probed(3).expect_choice, "sigmoid").received == "3"


TABLE = {
    "binary": {"units": 1, "activation": "sigmoid", "loss": "binary_crossentropy"},
    "multi-class": {"units": (10, "classes"), "loss": ("cce", "scce")},
}


def test_all_wrong_cells_of_a_table_are_told_with_their_reasons(probed):
    given = {
        "Binary": {"units": "1", "activation": "softmax", "loss": "mse"},
        "multi_class": {"units": "classes", "loss": "keras.losses.CategoricalCrossentropy"},
    }
    mistakes = {
        "activation": {"softmax": "Alone, it is always 1."},
        "loss": {"mse": "general"},
        "binary.loss": {"mse": "It is flat where the answer is most wrong."},
    }
    found = refused(probed(given).expect_table, TABLE, mistakes=mistakes)
    assert found.received == "'softmax'; 'mse'"
    assert "['binary']['activation']" in found.expected
    assert found.hint == "Alone, it is always 1. It is flat where the answer is most wrong."
    given["Binary"] |= {"activation": "sigmoid", "loss": "bce"}
    probed(given).expect_table(TABLE)
    del given["Binary"]["units"]
    assert "['units']" in refused(probed(given).expect_table, TABLE).expected
    assert refused(probed([1]).expect_table, TABLE).received.startswith("[1]")


PAIRS = [("categorical_crossentropy", "one-hot"), ("scce", "integers")]


@pytest.mark.parametrize(("loss", "labels"), PAIRS)
def test_any_of_several_rows_will_do_but_they_are_not_mixed(probed, loss, labels):
    wanted = {"digits": output_rows("multiclass", units=10)}
    row = {"units": 10, "activation": "softmax", "loss": loss, "labels": labels}
    probed({"digits": row}).expect_table(wanted)
    (other,) = (pair for pair in PAIRS if pair[0] != loss)
    mixed = probed({"digits": row | {"labels": other[1]}})
    found = refused(mixed.expect_table, wanted, mistakes=output_mistakes("multiclass"))
    assert "form of the labels" in found.hint or "The loss that was chosen" in found.hint


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel", "regression", "share"])
def test_no_reason_is_given_for_a_right_cell(kind):
    """But for the two losses of one task, which are wrong only beside the other's labels."""
    right = {
        (column, canonical(cell))
        for row in output_rows(kind, units=3)
        for column in ("activation", "loss", "labels")
        for cell in (row[column] if isinstance(row[column], tuple) else (row[column],))
    }
    explained = {
        (column, canonical(cell))
        for column, cells in output_mistakes(kind).items()
        for cell in cells
    }
    pairs = {("loss", canonical(loss)) for loss, _ in PAIRS}
    pairs |= {("labels", canonical(labels)) for _, labels in PAIRS}
    assert right & explained <= (pairs if kind == "multiclass" else set())


def test_whatever_a_check_says_of_a_value_can_be_asked(probed):
    falling = probed([1.0, 0.1, 0.01])
    falling.expect_true(lambda x: x[-1] < 0.1, "a spread that vanishes")
    found = refused(falling.expect_true, lambda x: x["no"], "a spread", "Look again.")
    assert (found.received, found.hint) == ("[1, 0.1, 0.01]", "Look again.")
