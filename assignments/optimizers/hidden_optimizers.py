import math

import pytest

WEIGHTS = (1.0, -2.0)
GRADIENTS = ((2.0, -4.0), (1.6, -3.2), (-0.5, 0.25))
RATE, MU, DECAY, TINY = 0.1, 0.9, 0.9, 1e-7


def follow(rule):
    """What each step gives: ``((weights), (memory))``; each weight goes its own way."""
    ways = []
    for start, *gradients in zip(WEIGHTS, *GRADIENTS, strict=True):
        way, state = [], (start, 0.0)
        for gradient in gradients:
            state = rule(*state, gradient)
            way.append(state)
        ways.append(way)
    return [tuple(zip(*states, strict=True)) for states in zip(*ways, strict=True)]


def slips(why_of_rule):
    """Every step of rules with a known slip, and what the slip is."""
    return [(step, why) for rule, why in why_of_rule for step in follow(rule)]


def sgd(w, _, dw):
    """Follow plain gradient descent."""
    return w - RATE * dw, 0.0


def momentum(w, v, dw):
    """Roll."""
    v = MU * v - RATE * dw
    return w + v, v


def nesterov(w, v, dw):
    """Roll, and look ahead."""
    new = MU * v - RATE * dw
    return w - MU * v + (1 + MU) * new, new


def adagrad(w, memory, dw):
    """Divide by all gradients so far."""
    memory += dw * dw
    return w - RATE * dw / (math.sqrt(memory) + TINY), memory


def rmsprop(w, memory, dw):
    """Divide by the gradients of late."""
    memory = DECAY * memory + (1 - DECAY) * dw * dw
    return w - RATE * dw / (math.sqrt(memory) + TINY), memory


# ---- the slips


def uphill(rule):
    """Mistake the sign."""
    return lambda w, memory, dw: rule(w, memory, -dw)


def momentum_without_rate(w, v, dw):
    """Take the learning rate outside."""
    v = MU * v + dw
    return w - RATE * v, v


def velocity_before(w, v, dw):
    """Move by the old velocity."""
    return w + v, MU * v - RATE * dw


def same_velocity_twice(w, v, dw):
    """Overwrite the velocity too early."""
    v = MU * v - RATE * dw
    return w - MU * v + (1 + MU) * v, v


def memory_before(rule):
    """Remember too late."""
    return lambda w, memory, dw: (
        w - RATE * dw / (math.sqrt(memory) + TINY),
        rule(w, memory, dw)[1],
    )


def no_square(w, memory, dw):
    """Sum the gradients themselves."""
    memory += abs(dw)
    return w - RATE * dw / (math.sqrt(memory) + TINY), memory


def no_root(rule):
    """Divide by the memory itself."""

    def step(w, memory, dw):
        memory = rule(w, memory, dw)[1]
        return w - RATE * dw / (memory + TINY), memory

    return step


def shares_swapped(w, memory, dw):
    """Forget what should stay."""
    memory = (1 - DECAY) * memory + DECAY * dw * dw
    return w - RATE * dw / (math.sqrt(memory) + TINY), memory


@pytest.mark.points(1)
def test_sgd_of_two_weights(probes):
    """Gradient descent holds for arrays, three steps in a row."""
    wanted = [weights for weights, _ in follow(sgd)]
    wrong = [(weights, "It climbs: mind the sign.") for weights, _ in follow(uphill(sgd))]
    probes["sgd_of_two"].expect_steps(wanted, mistakes=wrong)


@pytest.mark.points(2)
def test_momentum_of_two_weights(probes):
    """Momentum holds for arrays, three steps in a row."""
    mistakes = slips(
        [
            (uphill(momentum), "It climbs: mind the sign of the gradient."),
            (momentum_without_rate, "The velocity itself takes the learning rate, and its sign."),
            (velocity_before, "The weights move by the new velocity, not the old one."),
        ]
    )
    probes["momentum_of_two"].expect_steps(follow(momentum), mistakes=mistakes)


@pytest.mark.points(2)
def test_nesterov_of_two_weights(probes):
    """Nesterov momentum holds for arrays, three steps in a row."""
    mistakes = slips(
        [
            (same_velocity_twice, "One of the two velocities is the one before the step."),
            (momentum, "That is plain momentum."),
        ]
    )
    probes["nesterov_of_two"].expect_steps(follow(nesterov), mistakes=mistakes)


@pytest.mark.points(2)
def test_adagrad_of_two_weights(probes):
    """Adagrad holds for arrays, three steps in a row."""
    mistakes = slips(
        [
            (memory_before(adagrad), "The gradient of this step belongs to the memory already."),
            (no_square, "The memory sums the squares of the gradients."),
            (no_root(adagrad), "The step is divided by the root of the memory."),
        ]
    )
    probes["adagrad_of_two"].expect_steps(follow(adagrad), mistakes=mistakes)


@pytest.mark.points(2)
def test_rmsprop_of_two_weights(probes):
    """RMSProp holds for arrays, three steps in a row."""
    mistakes = slips(
        [
            (adagrad, "That is Adagrad: nothing is forgotten."),
            (shares_swapped, "The two shares are swapped: most of the memory stays."),
            (memory_before(rmsprop), "The gradient of this step belongs to the memory already."),
            (no_root(rmsprop), "The step is divided by the root of the memory."),
        ]
    )
    probes["rmsprop_of_two"].expect_steps(follow(rmsprop), mistakes=mistakes)


@pytest.mark.points(2)
def test_other_settings(probes):
    """Single numbers, other rates and the defaults work as well."""
    probes["sgd_default"].expect_equal(0.5 - 0.01 * 3.0, squeeze=True)
    velocity = 0.5 * -0.4 - 0.05 * 2.0
    probes["momentum_of_one"].expect_equal((1.0 + velocity, velocity), squeeze=True)
    moved = 1.0 - 0.5 * -0.4 + 1.5 * velocity
    probes["nesterov_of_one"].expect_equal((moved, velocity), squeeze=True)


@pytest.mark.points(2)
def test_no_gradient(probes):
    """A weight without a gradient stays where it is, and no number is lost."""
    memory = 0.5 + 4.0
    weight = 3.0 - 0.01 * 2.0 / (math.sqrt(memory) + 1e-7)
    probes["adagrad_without_gradient"].expect_equal(((1.0, weight), (0.0, memory)))
    memory = 0.9 * 0.5 + 0.1 * 4.0
    weight = 3.0 - 0.01 * 2.0 / (math.sqrt(memory) + 1e-7)
    probes["rmsprop_without_gradient"].expect_equal(((1.0, weight), (0.0, memory)))
