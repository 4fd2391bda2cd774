import math

import pytest

from grader.checks import Unmet

TWENTY = ("vanilla", "stacked", "feed_forward")
"""Who is measured. The error of the stateful network is luck: the reference's was between 0.0004
and 0.5, seed by seed."""
STATEFUL = 0.1
"""What its loss may be at most in its last epoch: the reference's is below 0.01."""
WIDER = 0.02
SAMPLES = dict.fromkeys([*TWENTY, "stateful"], 310) | {"wider": 290}


def cosine(first, end):
    """By its formula, in plain Python."""
    return [math.cos(step * 20 * math.pi / 1000) for step in range(first, end)]


@pytest.mark.points(2)
def test_order_of_time(answers):
    """Training ends where the test begins, and nothing of the series is shuffled."""
    answers["train"].expect_equal(cosine(0, 670), tolerance=1e-5)
    answers["test"].expect_equal(cosine(670, 1000), tolerance=1e-5)


@pytest.mark.points(2)
def test_windows_of_another_series(probes):
    """The windows of another series, of other widths, are right, and the series stays as it was."""
    series = [3, 1, -4, 1.5, -5, 9, 2, -6, 5, 3.5, -8]
    windows = [series[start : start + 4] for start in range(7)]
    probes["windows_of_others"].expect_equal(
        (windows, series[4:]),
        squeeze=True,
        mistakes=[((windows, series[3:-1]), "The target stands in its own window already.")],
    )
    probes["windows_of_others"].expect_unchanged_input()
    probes["windows_of_one"].expect_equal(([[2], [7]], [7, -1]), squeeze=True)


@pytest.mark.points(2)
@pytest.mark.parametrize("name", TWENTY)
def test_held_out_error(named, name):
    """Each network that takes windows of 20 by themselves foresees a cosine it has never seen."""
    named[name].held_out.expect_error()


@pytest.mark.points(2)
def test_stateful_has_learnt(named):
    """The stateful network foresees the part of the series that it is trained on."""
    losses = named["stateful"].fits.last.history.get("loss", ())
    if not losses or not losses[-1] <= STATEFUL:
        raise Unmet(
            expected=f"a loss of at most {STATEFUL} in the last epoch of its training",
            received=f"{losses[-1]:.3g}" if losses else "no loss",
            hint="A network that always says 0 has a loss of about 0.5. Does each window have the "
            "value that comes next as its target?",
        )


@pytest.mark.points(1)
@pytest.mark.parametrize("name", SAMPLES)
def test_evaluation(execution, trainings, name):
    """Each network was evaluated on all of its test windows once it was trained."""
    last = trainings[name].last
    found = [
        one
        for one in execution.evaluations
        if one.model == last.model and one.completed and one.after_fits
    ]
    if not any(one.samples == SAMPLES[name] for one in found):
        raise Unmet(
            expected=f"`{name}.evaluate` on {SAMPLES[name]} windows, after its training",
            received=", ".join(f"one on {one.samples} windows" for one in found) or "none",
            hint="How many windows does the later part of the series have?",
        )


@pytest.mark.points(2)
def test_error_of_the_wider_window(execution, trainings):
    """By its own evaluation, the network for windows of 40 foresees the later part."""
    last = trainings["wider"].last
    losses = [
        one.results["loss"]
        for one in execution.evaluations
        if one.model == last.model and one.after_fits and "loss" in one.results
    ]
    if not losses or not losses[-1] <= WIDER:
        raise Unmet(
            expected=f"a mean squared error of at most {WIDER} by its last evaluation",
            received=f"{losses[-1]:.3g}" if losses else "no evaluation after the training",
            hint="A network that always says 0 has an error of about 0.5.",
        )
