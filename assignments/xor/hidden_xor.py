import numpy as np
import pytest

from grader.checks import Unmet

XOR = {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0}
FAR = 0.15
"""The loss is a mean over the last epoch, in which the weights still changed."""


@pytest.mark.points(2)
def test_truth_table(answers):
    """Each pair of bits stands in `X` once, with its exclusive or in the same row of `y`."""
    answers["inputs"].expect_shape((4, 2))
    if answers["targets"].shape != (4,):
        answers["targets"].expect_shape((4, 1))
    pairs = [tuple(pair) for pair in answers["inputs"].value]
    answers["targets"].expect_true(
        lambda given: dict(zip(pairs, np.ravel(given), strict=True)) == XOR,
        "a 1 in each row in which the two bits of `X` differ, and a 0 in the others",
        hint="Read the rows of `X` and `y` side by side. Is every pair there?",
    )


@pytest.mark.points(2)
def test_error_fits_the_loss(fits, probes):
    """The network's error on the four pairs is about the loss that its training ended with."""
    fits.expect_trained()
    probes["outputs"].expect_shape((4, 1))
    outputs = np.ravel(probes["outputs"].value)
    error = float(np.mean((outputs - np.array(list(XOR.values()))) ** 2))
    loss = fits.series("loss")[-1]
    if not abs(error - loss) <= FAR:
        raise Unmet(
            expected=f"a mean squared error near the last epoch's loss, {loss:.3f}",
            received=f"{error:.3f}",
            hint="A training that got stuck is no mistake, but this network says something else "
            "than it was trained to: with which targets was it trained, and is it still the same?",
        )


@pytest.mark.points(1)
def test_squared_error(answers):
    """The squared error of one sample is right."""
    answers["quiz"]["squared_error"].expect_number(
        0.36,
        also=["9/25"],
        mistakes={
            "0.6": "the difference, not its square",
            "-0.6": "the difference, not its square",
            "0.16": "the square of what the network says; which bit ought it to say?",
            "0.18": "half of it: another convention",
            "0.09": "a mean over four samples; this is the error of one",
        },
    )


@pytest.mark.points(1)
def test_number_of_updates(answers):
    """The number of updates is right."""
    answers["quiz"]["updates"].expect_number(
        800, mistakes={"200": "the epochs; each has several updates", "4": "those of one epoch"}
    )
