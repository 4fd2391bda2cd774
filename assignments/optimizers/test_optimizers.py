import pytest

CLIMBS = "It climbs: mind the sign."


@pytest.mark.points(1)
def test_sgd(probes):
    """Gradient descent goes against the gradient."""
    probes["sgd"].expect_steps([0.8, 0.64], mistakes={"1.2": CLIMBS})


@pytest.mark.points(2)
def test_momentum(probes):
    """Momentum keeps its velocity from step to step, and gives it back."""
    mistakes = {
        "[1.2, 0.2]": CLIMBS,
        "[0.8, 2.0]": "The velocity itself takes the learning rate, and its sign.",
        "[1.0, -0.2]": "The weights move by the new velocity, not by the old one.",
        "[-0.2, 0.8]": "The weights come first, then the velocity.",
    }
    probes["momentum"].expect_steps([(0.8, -0.2), (0.46, -0.34)], mistakes=mistakes)


@pytest.mark.points(2)
def test_nesterov(probes):
    """Nesterov momentum moves by both velocities, the one before and the one after."""
    mistakes = {
        "[0.8, -0.2]": "That is plain momentum, or both velocities are the one after the step.",
        "[1.38, 0.2]": CLIMBS,
    }
    probes["nesterov"].expect_steps([(0.62, -0.2), (0.2224, -0.304)], mistakes=mistakes)


@pytest.mark.points(2)
def test_adagrad(probes):
    """Adagrad divides by the root of all squared gradients so far."""
    mistakes = {
        "[-1999999.0, 4.0]": "The gradient of this step belongs to the memory already.",
        "[0.8585787, 2.0]": "The memory sums the squares of the gradients.",
        "[0.95, 4.0]": "The step is divided by the root of the memory.",
        "[1.1, 4.0]": CLIMBS,
    }
    wanted = [(0.9, 4.0), (0.833104, 7.24)]
    probes["adagrad"].expect_steps(wanted, tolerance=1e-5, mistakes=mistakes)


@pytest.mark.points(2)
def test_rmsprop(probes):
    """RMSProp forgets: its memory is a running mean of squared gradients."""
    mistakes = {
        "[0.9, 4.0]": "That is Adagrad: nothing is forgotten.",
        "[0.894591, 3.6]": "The two shares are swapped: most of the memory stays.",
        "[0.5, 0.4]": "The step is divided by the root of the memory.",
        "[1.316228, 0.4]": CLIMBS,
    }
    wanted = [(0.683772, 0.4), (0.498871, 0.547018)]
    probes["rmsprop"].expect_steps(wanted, tolerance=1e-5, mistakes=mistakes)


@pytest.mark.points(1)
def test_makes_new_arrays(probes):
    """What comes in is left as it is."""
    for rule in ("sgd", "momentum", "nesterov", "adagrad", "rmsprop"):
        probes[f"{rule}_of_two"].expect_unchanged_input()
