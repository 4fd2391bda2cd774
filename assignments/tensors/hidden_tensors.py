import math

import pytest


@pytest.mark.points(3)
def test_shapes(answers):
    """The shapes of images, series and films are right."""
    quiz = answers["quiz"]
    quiz["grey_images"].expect_equal(
        (60000, 28, 28, 1), mistakes={"[60000, 1, 28, 28]": "The channels come last."}
    )
    quiz["series"].expect_equal(
        (100, 20, 3), mistakes={"[100, 3, 20]": "Each time step has all measurements."}
    )
    quiz["video"].expect_equal(
        (4, 240, 144, 256, 3),
        mistakes={
            "[4, 240, 256, 144, 3]": "The height comes before the width.",
            "[4, 144, 256, 240, 3]": "The frames come before the pixels.",
        },
    )


@pytest.mark.points(3)
def test_numbers(answers):
    """The numbers of the quiz are right."""
    quiz = answers["quiz"]
    quiz["squared_error"].expect_number(
        0.36,
        mistakes={"0.6": "not squared", "-0.6": "not squared", "0.16": "without the target"},
        hint="The difference of output and target, squared.",
    )
    quiz["predicted_class"].expect_number(
        7, mistakes={"8": "counted from one"}, hint="Where is the largest probability?"
    )
    quiz["updates"].expect_number(
        math.ceil(50000 / 128) * 50,
        mistakes=[(50, "epochs"), (390 * 50, "the last batch of an epoch is left out")],
        hint="Batches of an epoch, rounded up, times epochs.",
    )


@pytest.mark.points(2)
def test_other_inputs(probes):
    """The formulas hold for other inputs."""
    probes["flat_others"].expect_equal([[5, 4, 3, 2, 1, 0]])
    probes["squared_error_below"].expect_equal(9, squeeze=True)
    probes["parameters_of_xor"].expect_equal(9)
    probes["updates_one_by_one"].expect_equal(800)


@pytest.mark.points(2)
def test_other_encodings(probes):
    """The encodings hold for another number of columns."""
    probes["one_hot_of_four"].expect_equal([[0, 1, 0, 0], [1, 0, 0, 0]])
    probes["multi_hot_default"].expect_equal([[0] * 9999 + [1]])
