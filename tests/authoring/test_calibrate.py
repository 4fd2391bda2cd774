import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from grader.assignment import read_assignment
from grader.authoring.calibrate import (
    _measured,
    calibrate,
    must_have_thresholds,
    write_thresholds,
)
from grader.authoring.scale import Scale
from grader.authoring.tolerance import (
    Sample,
    chance_below,
    interval_below,
    most_by_counting,
    reach,
    summed_up,
    tolerance_factor,
)
from grader.errors import AssignmentError
from grader.records import Judged
from grader.trials import Calibration, Chance, Spread

CHECK = '''
import pytest


@pytest.mark.points(1)
def test_accuracy(held_out):
    """It is good."""
    held_out.expect_accuracy()
'''
TOML = """
# What luck may cost.
[thresholds.accuracy]
at_least = 0.9   # seen in the lecture
retries = 2

[training]   # no more than that
epochs = 3
"""


@pytest.mark.parametrize(
    ("size", "share", "confidence", "factor"),
    [
        # Odeh and Owen 1980, table 1; the last is the NIST handbook's example, 7.2.6.3.
        (5, 0.90, 0.95, 3.407),
        (10, 0.90, 0.95, 2.355),
        (10, 0.99, 0.95, 3.981),
        (20, 0.99, 0.95, 3.295),
        (43, 0.90, 0.99, 1.874),
    ],
)
def test_tolerance_factors_are_those_of_the_tables(size, share, confidence, factor):
    assert tolerance_factor(size, share, confidence) == pytest.approx(factor, abs=1e-3)


def test_bounds_and_intervals_hold_as_often_as_they_say():
    random = np.random.default_rng(3)
    rounds, size, floor = 400, 8, -1.8
    true = stats.norm.cdf(floor)
    factor = tolerance_factor(size, 0.99, 0.95)
    samples = [summed_up(random.normal(size=size)) for _ in range(rounds)]
    kept = np.mean([stats.norm.sf(s.mean - factor * s.deviation) >= 0.99 for s in samples])
    held = np.mean(
        [low <= true <= high for low, high in (interval_below(s, floor) for s in samples)]
    )
    over = np.mean([chance_below(s, floor) > true for s in samples])
    near = np.mean([abs(random.normal() - s.mean) <= reach(s) for s in samples])
    for share, wanted in ((kept, 0.95), (held, 0.95), (over, 0.5), (near, 0.95)):
        assert share == pytest.approx(wanted, abs=4 * math.sqrt(wanted * (1 - wanted) / rounds))


def test_counting_bounds_are_those_of_clopper_and_pearson():
    for failed, size in ((0, 10), (1, 10), (3, 7), (9, 10)):
        exact = stats.binomtest(failed, size).proportion_ci(confidence_level=0.90).high
        assert most_by_counting(failed, size) == pytest.approx(exact, abs=1e-6)
    assert most_by_counting(0, 10) == pytest.approx(1 - 0.05 ** (1 / 10))
    assert most_by_counting(5, 5) == 1.0


@given(
    mean=st.floats(0.5, 0.999),
    deviation=st.floats(1e-4, 0.1),
    size=st.integers(3, 60),
    floor=st.floats(0.0, 1.0),
)
def test_a_chance_lies_within_its_interval_and_a_lower_floor_is_kinder(
    mean, deviation, size, floor
):
    sample = Sample(size, mean, deviation)
    low, high = interval_below(sample, floor)
    assert 0.0 <= low <= chance_below(sample, floor) <= high <= 1.0
    assert chance_below(sample, floor - 0.05) <= chance_below(sample, floor)


def calibration(**changes):
    chance = Chance(bound=0.912, missed=0.001, low=0.0, high=0.01, seen=0, most=0.3)
    spread = Spread(
        model="",
        metric="accuracy",
        runs={7: 0.92, 8: 0.93},
        samples=10_000,
        mean=0.925,
        deviation=0.005,
        present=replace(chance, bound=0.9),
        proposed=chance,
        margin=0.004,
    )
    return Calibration(
        assignment="little",
        solution="little.py",
        models=(replace(spread, **changes),),
        share=0.99,
        confidence=0.95,
        data="a test",
    )


def test_the_proposal_is_written_and_every_comment_stays(assignment_folder, little_toml):
    folder = assignment_folder(little_toml + TOML, CHECK)
    write_thresholds(read_assignment(folder), calibration())
    text = (folder / "assignment.toml").read_text("utf-8")
    assert text == little_toml + TOML.replace("at_least = 0.9 ", "at_least = 0.912 ").replace(
        "retries = 2\n", "retries = 2\nmargin = 0.004\n"
    )
    accuracy = read_assignment(folder).settings.thresholds.accuracy
    assert (accuracy.at_least, accuracy.margin, accuracy.retries) == (0.912, 0.004, 2)


def test_of_a_regression_the_ceiling_is_written(assignment_folder, little_toml):
    error = '\n[thresholds.error]\nat_most = 0.5  # to be seen\nrule = "best"\n'
    regression = little_toml.replace("multiclass", "regression")
    folder = assignment_folder(regression + error, CHECK)
    proposed = replace(calibration().models[0].proposed, bound=0.0017)
    found = calibration(metric="mean_squared_error", margin=0.00031, proposed=proposed)
    write_thresholds(read_assignment(folder), found)
    text = (folder / "assignment.toml").read_text("utf-8")
    assert "at_most = 0.0017  # to be seen" in text
    wanted = read_assignment(folder).settings.thresholds.error
    assert (wanted.at_most, wanted.margin, wanted.rule) == (0.0017, 0.00031, "best")


@given(
    error=st.floats(1e-9, 1e3),
    other=st.floats(1e-9, 1e3),
    deviation=st.floats(1e-3, 2.0),
    size=st.integers(3, 60),
)
def test_a_smaller_error_is_better_and_its_bound_and_margin_are_kind(error, other, deviation, size):
    scale = Scale("mean_squared_error")
    if abs(error - other) > 1e-9 * error:  # nearer ones may have the same logarithm
        assert (scale.score(error) > scale.score(other)) == (error < other)
    assert scale.value(scale.score(error)) == pytest.approx(error)
    ceiling = scale.kinder(scale.score(error))
    assert error * (1 - 1e-6) <= ceiling <= 1.1 * error * (1 + 1e-6)
    # Luck carries one run from the ceiling to the end of its margin, and not beyond.
    sample = Sample(size, scale.score(ceiling), deviation)
    margin = scale.margin(ceiling, sample)
    assert scale.score(ceiling) - scale.score(ceiling + margin) >= reach(sample) * (1 - 1e-6)
    assert float(f"{margin:.2g}") == margin


def test_where_no_accuracy_is_asked_for_there_is_nothing_to_calibrate(assignment_folder, tmp_path):
    assignment = read_assignment(assignment_folder(checks=CHECK))
    with pytest.raises(AssignmentError, match="there is no threshold to calibrate"):
        calibrate(assignment, tmp_path / "little.py", 3)


OTHER = """
[models.other]
variable = "other"
task = "multiclass"
classes = 10
inputs = ["vector"]
"""


def test_bounds_in_checks_are_not_written(assignment_folder, little_toml):
    folder = assignment_folder(little_toml + OTHER, CHECK)
    with pytest.raises(AssignmentError, match="no threshold to be written") as refused:
        must_have_thresholds(read_assignment(folder))
    assert "The bounds stand in checks" in str(refused.value)
    before = (folder / "assignment.toml").read_bytes()
    write_thresholds(read_assignment(folder), calibration(model="other", present=None))
    assert (folder / "assignment.toml").read_bytes() == before


def test_of_several_models_each_bound_is_written_where_it_stands(assignment_folder, little_toml):
    own = "\n[thresholds.models.other.accuracy]\nat_least = 0.8  # a guess\n"
    folder = assignment_folder(little_toml + TOML + OTHER + own, CHECK)
    must_have_thresholds(read_assignment(folder))
    first, other = calibration(), calibration(model="other", margin=0.02)
    write_thresholds(read_assignment(folder), replace(first, models=first.models + other.models))
    assert "at_least = 0.912  # a guess" in (folder / "assignment.toml").read_text("utf-8")
    thresholds = read_assignment(folder).settings.thresholds
    assert (thresholds.accuracy.at_least, thresholds.accuracy.margin) == (0.912, 0.004)
    its = thresholds.of_model("other").accuracy
    assert (its.at_least, its.margin) == (0.912, 0.02)


def test_a_model_counts_only_if_every_seed_was_measured(make):
    def evidence(seed, measurement, problem=""):
        judged = Judged(number=1, card=None, measurement=measurement, problem=problem)
        student = make.submission(student=f"seed {seed}")
        return make.evidence(submission=student, measurement=None, others={"small": judged})

    measured = {seed: evidence(seed, make.measurement()) for seed in (7, 8)}
    assert list(_measured("small", measured, Path("little.py"))) == [7, 8]
    for missing in (7, 8):
        some = {**measured, missing: evidence(missing, None, "It was not built.")}
        with pytest.raises(AssignmentError, match=f"seed {missing} was not measured: It was not"):
            _measured("small", some, Path("little.py"))
    with pytest.raises(AssignmentError, match="seed 7 was not measured: finished"):
        _measured("", measured, Path("little.py"))
