import math
from itertools import pairwise

import pytest

FIRST = (
    "The first layer has inputs of spread 1: what does one product with the weights make of them?"
)
LAST = "Does each layer take what the layer before gives, activation included?"
BACK = "On the way back: the derivative of each activation, then the transposed weights."


def expect_spreads(probed):
    """Ten standard deviations, whatever they are."""
    probed.expect_shape((10,))
    probed.expect_between(0, math.inf)


@pytest.mark.points(1)
def test_zeros(probes):
    """`zeros` gives a matrix of zeros, one row for each input."""
    probes["zeros"].expect_shape((20, 30))
    probes["zeros"].expect_equal([[0] * 30] * 20)


@pytest.mark.points(1)
def test_small(probes):
    """`small` gives normal numbers of standard deviation 0.001."""
    probes["small"].expect_shape((784, 512))
    probes["small"].expect_spread(0.001)


@pytest.mark.points(2)
def test_xavier(probes):
    """`xavier` gives normal numbers of variance 1 / fan_in."""
    probes["xavier"].expect_shape((784, 512))
    probes["xavier"].expect_spread(
        1 / math.sqrt(784),
        mistakes={
            1.0: "They are not divided by anything.",
            1 / 784: "That is the variance; the numbers have its root as their deviation.",
            1 / math.sqrt(512): "The units were counted, not the inputs.",
        },
    )


@pytest.mark.points(2)
def test_he(probes):
    """`he` gives normal numbers of variance 2 / fan_in."""
    probes["he"].expect_shape((784, 512))
    probes["he"].expect_spread(
        math.sqrt(2 / 784),
        mistakes={
            2 / math.sqrt(784): "The 2 belongs under the root as well.",
            1 / math.sqrt(784): "That is Xavier: the half that the rectifier takes is left out.",
        },
    )


@pytest.mark.points(1)
def test_zeros_give_no_signal(probes):
    """Where all weights are zero, no signal passes."""
    probes["spreads_zeros_tanh"].expect_equal([0] * 10)


@pytest.mark.points(2)
def test_small_numbers_vanish(probes):
    """Small numbers shrink the signal in every layer, until nothing is left."""
    found = probes["spreads_small_tanh"]
    expect_spreads(found)
    found.expect_true(lambda x: 0.01 < x[0] < 0.05, "a spread of 0.02 after the first layer", FIRST)
    found.expect_true(
        lambda x: all(b < a / 20 for a, b in pairwise(x)),
        "a spread that shrinks in each layer to a fraction",
        "Does each layer have the output of the layer before as its input?",
    )


@pytest.mark.points(2)
def test_xavier_keeps_the_signal_of_tanh(probes):
    """With Xavier, a signal survives ten layers of tanh."""
    found = probes["spreads_xavier_tanh"]
    expect_spreads(found)
    found.expect_true(lambda x: 0.5 < x[0] < 0.75, "a spread of 0.6 after the first layer", FIRST)
    found.expect_true(
        lambda x: 0.15 < x[-1] < 0.35, "a spread of 0.15 to 0.35 after ten layers", LAST
    )


@pytest.mark.points(2)
def test_relu_needs_he(probes):
    """With relu, the signal shrinks under Xavier and survives under He."""
    xavier, he = probes["spreads_xavier_relu"], probes["spreads_he_relu"]
    expect_spreads(xavier)
    expect_spreads(he)
    xavier.expect_true(lambda x: 0.005 < x[-1] < 0.1, "0.005 to 0.1 after ten layers", LAST)
    he.expect_true(lambda x: 0.3 < x[-1] < 2.0, "0.3 to 2 after ten layers", LAST)


@pytest.mark.points(2)
def test_gradients_vanish_too(probes):
    """Small numbers leave nothing of the gradient, the first layer having least."""
    found = probes["gradients_small_tanh"]
    expect_spreads(found)
    found.expect_true(
        lambda x: x[0] < x[-1],
        "less gradient at the first layer than at the last",
        "The first number is that of the first layer.",
    )
    found.expect_true(lambda x: 0.01 < x[-1] < 0.05, "a gradient of 0.02 at the last layer", BACK)
    found.expect_true(lambda x: x[0] < 1e-12, "hardly any gradient at the first layer", BACK)


@pytest.mark.points(2)
def test_he_keeps_the_gradient(probes):
    """With He, a gradient finds its way back through ten layers of relu."""
    found = probes["gradients_he_relu"]
    expect_spreads(found)
    found.expect_true(
        lambda x: all(0.4 < each < 2.5 for each in x),
        "gradients of 0.4 to 2.5 at every layer",
        "Is the gradient multiplied by the derivative, and with the transposed weights?",
    )
