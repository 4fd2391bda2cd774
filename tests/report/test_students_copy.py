"""A student's copy tells no more of what was measured on held-out data than the assignment says."""

import io
import json
import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rich.console import Console

from grader.assignment import read_assignment
from grader.checks.session import run_checks
from grader.measure import wilson
from grader.records import Judged, Measurement, SeededRun
from grader.report.as_json import NOT_FOR_STUDENTS, as_data
from grader.report.bands import band_of
from grader.report.students_copy import FALLS_SHORT, JUDGES, NOT_TOLD, NOTES, students_copy
from grader.report.terminal import show_one
from grader.safe.inert import inert_json
from grader.sandbox.interface import Isolation
from grader.settings import AccuracyWanted, FeedbackWanted, Thresholds
from grader.tally import tally

JUDGED = settings(
    max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)
"""Each example is a whole session of checks: to shrink one would take minutes."""
FLOOR = 0.9
SAMPLES = 10_000
FORMS = ("vectors of 784, as they are", "vectors of 784, scaled to 0…1")
SETTINGS = """
name = "little"
title = "A little assignment"
version = "1"

[data]
set = "mnist"

[model]
task = "multiclass"
classes = 10
inputs = ["vector"]

[models.other]
task = "multiclass"
classes = 10
inputs = ["vector"]

[thresholds.accuracy]
at_least = 0.9
margin = 0.05
retries = 2
"""
CHECKS = '''
import pytest
from grader.checks import Unmet, dense


def check(function):
    function.__doc__ = function.__doc__ or function.__name__
    return pytest.mark.points(2)(function)


@pytest.fixture
def share(held_out):
    """The author's own fixture."""
    return held_out.accuracy


@pytest.fixture
def strict(held_out):
    """One that fails before the check begins."""
    assert held_out.accuracy >= 0.9


@check
def test_floor(held_out):
    held_out.expect_accuracy()


@check
def test_own_floor(held_out):
    held_out.expect_accuracy(at_least=0.9)


@check
def test_classes(held_out):
    held_out.expect_each_class(at_least=0.9)


@check
def test_plain(held_out):
    assert held_out.accuracy >= 0.9


@check
def test_the_other_way_round(held_out):
    assert 0.9 <= held_out.accuracy, "Train longer."


@check
def test_words(held_out):
    assert held_out.accuracy >= 0.9, f"only {held_out.accuracy}"


@check
def test_nothing_compared(held_out):
    assert not held_out.accuracy < 0.9


@check
def test_everything(held_out):
    assert held_out.measurement.value >= 0.9, f"{held_out.measurement}"


@check
def test_fail(held_out):
    if held_out.accuracy < 0.9:
        pytest.fail(f"only {held_out.accuracy}")


@check
def test_skip(held_out):
    if held_out.accuracy < 0.9:
        pytest.skip(f"only {held_out.accuracy}")


@check
def test_breaks(held_out):
    if held_out.accuracy < 0.9:
        raise ValueError(held_out.accuracy)


@check
def test_unmet(held_out):
    if held_out.accuracy < 0.9:
        raise Unmet(expected=f"more than {held_out.accuracy}", received="less", hint="Train.")


@check
def test_quoted(held_out):
    try:
        held_out.expect_accuracy()
    except Unmet as error:
        pytest.fail(str(error))


@check
def test_own_fixture(share):
    assert share >= 0.9


@check
def test_strict_fixture(strict):
    pass


@check
def test_asked_for_later(request):
    assert request.getfixturevalue("held_out").accuracy >= 0.9


@check
def test_named(named):
    named["other"].held_out.expect_accuracy(at_least=0.9)


@check
def test_named_plain(named):
    assert named["other"].held_out.accuracy >= 0.9


@check
def test_never_better_by_one(held_out, named):
    named["other"].held_out.expect_accuracy(at_least=1 + held_out.accuracy)


@check
def test_layers_afterwards(held_out, model):
    held_out.measurement
    model.expect_layers(dense(int(1000 * held_out.accuracy), "relu"))


@check
def test_layers_before(held_out, model):
    model.expect_layers(dense(20, "relu"))
    held_out.expect_accuracy()


@check
def test_layers_after_a_floor(held_out, model):
    held_out.expect_accuracy(at_least=0)
    model.expect_layers(dense(20, "relu"))


@check
@pytest.mark.requires("test_floor")
def test_only_then(held_out):
    held_out.expect_accuracy(at_least=0.0)
'''
REGRESSION = """
name = "little"
title = "A little assignment"
version = "1"

[data]
file = "little.npz"

[model]
task = "regression"
inputs = ["as_is"]

[thresholds.error]
at_most = 0.01
margin = 0.005
retries = 2
"""
ERROR_CHECKS = '''
import pytest


@pytest.mark.points(2)
def test_floor(held_out):
    """It is near."""
    held_out.expect_error()


@pytest.mark.points(2)
def test_plain(held_out):
    """It is near, in words of the author's own."""
    assert held_out.error <= 0.01
'''


@pytest.fixture(scope="module")
def judge(make, tmp_path_factory):
    """Give reports on what was measured: ``judge(feedback, (measurement, other), …)``."""
    bench = SimpleNamespace(
        sandbox=SimpleNamespace(isolation=Isolation(level="none", description="a test")),
        dataset=SimpleNamespace(
            name="mnist", source="stand-in", description="the stand-in", digest="d" * 64
        ),
    )

    def read(toml, checks):
        folder = tmp_path_factory.mktemp("little")
        (folder / "assignment.toml").write_text(toml, "utf-8")
        (folder / "test_little.py").write_text(checks, "utf-8")
        return read_assignment(folder)

    assignments = {
        "accuracy": read(SETTINGS, CHECKS),
        "mean_squared_error": read(REGRESSION, ERROR_CHECKS),
    }

    def go(feedback, *pairs, retries=2):
        assignment, reports = assignments[pairs[0][0].metric], []
        wanted = assignment.settings
        if feedback:
            wanted = replace(wanted, feedback=FeedbackWanted(held_out=feedback))
        if not retries:
            wanted = replace(wanted, thresholds=Thresholds(accuracy=AccuracyWanted(at_least=FLOOR)))
        assignment = replace(assignment, settings=wanted)

        def hear(evidence, results, _seconds):
            reports.append(tally(evidence, results, assignment, bench))

        others = [
            {"other": Judged(number=0, card=make.card(), measurement=other)} if other else {}
            for _, other in pairs
        ]
        known = [
            make.evidence(
                measurement=first,
                others=other,
                extra=first,
                seconds={"executing": 1 + 2 * bool(first.runs), "measuring": len(first.form)},
            )
            for (first, _), other in zip(pairs, others, strict=True)
        ]
        run_checks(known, assignment, hear)
        return reports

    return go


def printed(report):
    console = Console(width=400, file=io.StringIO())
    show_one(report, console)
    return console.file.getvalue()


def copies(report):
    """All that a student may be given of a report, line by line."""
    return [
        *inert_json(as_data(report, for_student=True), indent=1).splitlines(),
        *printed(report).encode().splitlines(),
    ]


def differences(one, other):
    """The lines in which two students' copies differ; none when they are the same bytes."""
    first, second = copies(one), copies(other)
    same_length = len(first) == len(second)
    return [pair for pair in zip(first, second, strict=same_length) if pair[0] != pair[1]]


def check_of(report, name):
    (found,) = [check for check in students_copy(report).checks if check.name == name]
    return found


def measured(value, *, tried=(), runs=(), per_class=None):
    """What was measured, with everything that depends on it."""
    shares = (value,) * 10 if per_class is None else per_class
    low, high = wilson(value, SAMPLES)
    counted = FORMS[0] if not tried or tried[0] == value else FORMS[1]
    return Measurement(
        metric="accuracy",
        value=value,
        samples=SAMPLES,
        low=low,
        high=high,
        form=counted,
        tried=dict(zip(FORMS, tried, strict=False)) if tried else {counted: value},
        per_class=shares,
        answered=10,
        predictions_sha256=f"{len(tried) and tried[0] != value:064}",
        runs=tuple(SeededRun(seed=7 + place, value=run) for place, run in enumerate(runs)),
        rule="best" if runs else "",
    )


def errors(value, *, runs=()):
    return Measurement(
        metric="mean_squared_error",
        value=value,
        samples=310,
        low=0.9 * value,
        high=1.1 * value,
        form="as they are",
        tried={"as they are": value},
        runs=tuple(SeededRun(seed=7 + place, value=run) for place, run in enumerate(runs)),
        rule="best" if runs else "",
    )


@st.composite
def _measured(draw, counts, forms, odd):
    """What was measured of so many right answers: all else differs as it may."""
    value = draw(counts) / SAMPLES
    lower = st.integers(0, round(value * SAMPLES)).map(lambda count: count / SAMPLES)
    runs = (value, *draw(st.lists(lower, min_size=2, max_size=2))) if draw(st.booleans()) else ()
    tried = draw(st.permutations([value, draw(lower)])) if forms == 2 else ()
    right = counts.map(lambda count: count / SAMPLES)
    per_class = tuple(draw(st.lists(right, min_size=10, max_size=10)))
    return replace(measured(value, tried=tuple(tried), runs=runs, per_class=per_class), **odd)


@st.composite
def _pairs(draw, ranges):
    """Two submissions of which all that was measured lies in the same range."""
    counts = st.integers(*draw(ranges))
    others = st.integers(*draw(ranges))
    forms = draw(st.sampled_from([1, 2]))
    odd = draw(st.sampled_from([{}, {"non_finite": 7}, {"constant": True}]))
    each = st.tuples(_measured(counts, forms, odd), _measured(others, 1, odd))
    return draw(each), draw(each)


SIDES = st.sampled_from([(0, 8999), (9000, SAMPLES)])
BANDS = st.integers(0, 19).map(
    lambda band: (500 * band, SAMPLES if band == 19 else 500 * band + 499)
)
"""None of them has the floor inside."""


@JUDGED
@given(pair=_pairs(SIDES))
def test_a_verdict_is_all_that_an_accuracy_changes(judge, pair):
    one, other = judge("verdict", *pair)
    assert not differences(one, other)


@JUDGED
@given(pair=_pairs(BANDS))
def test_a_band_is_all_that_an_accuracy_changes(judge, pair):
    one, other = judge("banded", *pair)
    assert not differences(one, other)


@JUDGED
@given(
    pair=st.sampled_from([(0.0, 0.01), (0.0101, 1e6)]).flatmap(
        lambda ends: st.tuples(st.floats(*ends), st.floats(*ends), st.booleans(), st.booleans())
    )
)
def test_a_verdict_is_all_that_an_error_changes(judge, pair):
    first, second, one_again, other_again = pair
    one, other = judge(
        "verdict",
        (errors(first, runs=(first, 1.0) if one_again else ()), None),
        (errors(second, runs=(second, 1.0) if other_again else ()), None),
    )
    assert not differences(one, other)


@JUDGED
@given(
    pair=st.sampled_from(
        [(0.001, 0.00199), (0.005, 0.00999), (0.0101, 0.0199), (2e5, 4.9e5)]
    ).flatmap(lambda ends: st.tuples(st.floats(*ends), st.floats(*ends)))
)
def test_a_band_is_all_that_an_error_changes(judge, pair):
    one, other = judge("banded", *((errors(value), None) for value in pair))
    assert not differences(one, other)


def test_without_the_option_every_one_of_these_would_tell(judge):
    """The property holds of the option, and not of what is compared."""
    one, other = judge("exact", (measured(0.71), measured(0.5)), (measured(0.72), measured(0.6)))
    pairs = zip(one.checks, other.checks, strict=True)
    same = {check.name for check, its in pairs if check == its}
    assert same == {
        "test_layers_before", "test_layers_after_a_floor", "test_only_then"
    }  # fmt: skip
    assert differences(one, other)


def test_exact_is_what_it_was_and_is_what_is_not_said(judge):
    pair = (measured(0.871, tried=(0.5, 0.871), runs=(0.871, 0.8)), measured(0.4))
    (said,), (unsaid,) = judge("exact", pair), judge(None, pair)
    assert said == unsaid
    assert said.withheld_notes == ()
    whole = as_data(said)
    student = as_data(said, for_student=True)
    assert student == {
        **{name: value for name, value in whole.items() if name not in NOT_FOR_STUDENTS},
        "seconds": {
            stage: spent for stage, spent in whole["seconds"].items() if stage not in JUDGES
        },
    }
    assert student["measurement"]["value"] == 0.871
    assert student["measurement"]["per_class"] == [0.871] * 10
    assert student["seconds"]["executing"] == 3
    text = printed(said)
    assert "received 87.1 % of 10,000 (86.4–87.7)" in text
    assert "The best counts: 87.10 %." in text
    assert "Accuracy on held-out data: 87.1 % of 10,000 (86.4–87.7)" in text


@pytest.mark.parametrize("feedback", ["banded", "verdict"])
def test_the_instructor_is_told_everything(judge, feedback):
    pair = (measured(0.871, tried=(0.5, 0.871), runs=(0.871, 0.8)), measured(0.4))
    (exact,), (coarse,) = judge("exact", pair), judge(feedback, pair)
    withheld = tuple(note for note in exact.notes if "%" in note)
    assert len(withheld) == 2
    assert coarse == replace(exact, feedback=feedback, withheld_notes=withheld)
    assert as_data(coarse)["measurement"] == as_data(exact)["measurement"]


@pytest.mark.parametrize("feedback", ["exact", "banded", "verdict"])
def test_points_and_verdicts_are_never_changed(judge, feedback):
    (report,) = judge(feedback, (measured(0.871), measured(0.4)))
    told = students_copy(report)
    assert (told.points, told.out_of) == (report.points, report.out_of)
    assert [(check.outcome, check.points) for check in told.checks] == [
        (check.outcome, check.points) for check in report.checks
    ]


@pytest.mark.parametrize("feedback", ["exact", "banded", "verdict"])
def test_a_copy_of_a_copy_is_the_same_copy(judge, feedback):
    (report,) = judge(feedback, (measured(0.85, runs=(0.85, 0.8)), measured(0.4)))
    told = students_copy(report)
    assert students_copy(told) == told


def test_a_coarse_check_still_says_what_it_asks_for(judge):
    (report,) = judge("verdict", (measured(0.871), measured(0.4)))
    for name in ("test_floor", "test_own_floor", "test_named"):
        found = check_of(report, name)
        assert found.expected == "an accuracy of at least 90.0 % on held-out data"
        assert (found.received, found.hint) == (FALLS_SHORT, "")
    assert check_of(report, "test_classes").expected == "at least 90 % right in each class"
    assert f"on held-out data; received {FALLS_SHORT}." in printed(report)


@pytest.mark.parametrize(
    "name",
    [
        *("test_plain", "test_words", "test_fail", "test_skip", "test_breaks", "test_unmet"),
        *("test_strict_fixture", "test_never_better_by_one", "test_layers_afterwards"),
    ],
)
def test_words_of_a_check_that_was_told_are_replaced_as_a_whole(judge, name):
    (report,) = judge("verdict", (measured(0.871), measured(0.4)))
    found = check_of(report, name)
    assert (found.expected, found.received, found.hint) == ("", "", NOT_TOLD)
    assert found.alignment == ()


@pytest.mark.parametrize("name", ["test_layers_before", "test_layers_after_a_floor"])
def test_a_check_that_was_told_nothing_explains_itself(judge, name):
    (report,) = judge("verdict", (measured(0.95), measured(0.4)))
    found = check_of(report, name)
    assert found.expected == "Dense(20, relu)"
    assert found.alignment


def test_an_author_may_say_which_words_tell(make, assignment_folder, little_toml, bench):
    body = (
        "\n    if held_out.accuracy < 0.99:"
        '\n        raise Unmet(expected="more", received=f"{held_out.accuracy}",'
        ' hint="Look at the loss.", tells=("received",))'
    )
    folder = assignment_folder(
        little_toml + '\n[feedback]\nheld_out = "verdict"\n',
        "import pytest\nfrom grader.checks import Unmet\n\n\n@pytest.mark.points(1)\n"
        f'def test_it(held_out):\n    """It is so."""{body}\n',
    )
    assignment, reports = read_assignment(folder), []
    run_checks(
        [make.evidence()],
        assignment,
        lambda known, results, _: reports.append(tally(known, results, assignment, bench)),
    )
    found = check_of(reports[0], "test_it")
    assert (found.expected, found.received) == ("more", FALLS_SHORT)
    assert found.hint == "Look at the loss."


def test_what_is_odd_about_the_answers_is_told_whatever_the_labels_are(judge):
    constant = replace(measured(0.1), constant=True)
    broken = replace(measured(0.1), non_finite=7)
    first, second = judge("verdict", (constant, None), (broken, None), retries=0)
    assert "the same class" in check_of(first, "test_floor").hint
    assert "7 answers are not numbers" in check_of(second, "test_floor").hint


@pytest.mark.parametrize(("tried", "retries"), [((0.05, 0.1), 0), ((), 2)])
def test_what_is_odd_about_the_best_of_several_would_tell_which_it_is(judge, tried, retries):
    constant = replace(measured(0.1, tried=tried), constant=True)
    (report,) = judge("verdict", (constant, None), retries=retries)
    told = students_copy(report).measurement
    assert check_of(report, "test_floor").hint == ""
    assert told == Measurement(metric="accuracy", value=None, samples=SAMPLES)


def test_why_nothing_was_measured_is_told(judge):
    nothing = replace(measured(0.1), value=None, low=None, high=None, problem="It gives 3 numbers.")
    (report,) = judge("verdict", (replace(nothing, tried={}, per_class=()), None))
    assert check_of(report, "test_floor").hint == "It gives 3 numbers."
    assert students_copy(report).measurement.problem == "It gives 3 numbers."
    assert NOTES["verdict"] not in students_copy(report).notes


def test_bands_are_told_as_bands(judge):
    (report,) = judge("banded", (measured(0.871), measured(1.0)))
    data = as_data(report, for_student=True)
    told = data["measurement"]
    assert (told["value"], told["low"], told["high"]) == (0.85, 0.85, 0.9)
    assert (told["per_class"], told["tried"], told["runs"]) == ([], {}, [])
    assert data["feedback"] == "banded"
    assert "Accuracy on held-out data: 85–90 % of 10,000" in printed(report)
    assert "Accuracy of other on held-out data: 95–100 % of 10,000" in printed(report)
    assert NOTES["banded"] in printed(report)
    (report,) = judge("banded", (errors(0.00032), None))
    assert "Error on held-out data: 0.0002–0.0005 over 310" in printed(report)


def test_a_verdict_has_no_line_of_its_own(judge):
    (report,) = judge("verdict", (measured(0.871), measured(1.0)))
    assert "Accuracy on held-out data:" not in printed(report)
    assert as_data(report, for_student=True)["measurement"]["value"] is None
    assert NOTES["verdict"] in printed(report)


@given(st.integers(0, SAMPLES))
def test_an_accuracy_lies_in_its_band_of_five_points(count):
    low, high = band_of(measured(0.5), count / SAMPLES)
    assert math.isclose(high - low, 0.05)
    assert low <= count / SAMPLES < high or (count == SAMPLES and high == 1)
    assert json.dumps([low, high]) == json.dumps([round(low, 2), round(high, 2)])


@pytest.mark.parametrize("count", [0, 1500, 3000, 5500, 8500])
def test_the_lower_end_belongs_to_the_band(count):
    assert band_of(measured(0.5), count / SAMPLES)[0] == count / SAMPLES


@given(st.floats(0, 1e77))
def test_an_error_lies_in_its_band_of_one_digit(value):
    low, high = band_of(errors(0.5), value)
    assert low <= value < high
    assert value == 0 or low == 0 or high / low < 2.51
    assert band_of(errors(0.5), low) == (low, high)
