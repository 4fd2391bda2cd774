import math

import pytest


@pytest.mark.points(2)
def test_other_layers(probes):
    """Xavier and He look at the inputs, in layers of any size."""
    for name, variance in (("xavier_of_few", 1 / 100), ("he_of_few", 2 / 100)):
        probes[name].expect_shape((100, 1000))
        probes[name].expect_spread(math.sqrt(variance))


@pytest.mark.points(1)
def test_zeros_give_no_gradient(probes):
    """Where all weights are zero, no gradient passes."""
    probes["gradients_zeros_relu"].expect_equal([0] * 10)


@pytest.mark.points(2)
def test_what_follows(answers):
    """The right beginning is chosen for each activation."""
    quiz = answers["quiz"]
    hint = "Look at the spreads that you measured in each layer."
    quiz["same"].expect_choice("zeros", hint="With which do all units of a layer learn the same?")
    quiz["vanishes"].expect_choice("small", hint=hint)
    quiz["tanh"].expect_choice("xavier", also=("glorot",), hint=hint)
    quiz["relu"].expect_choice("he", hint=hint)
