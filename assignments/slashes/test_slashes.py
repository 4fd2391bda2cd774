import numpy as np
import pytest

from grader.checks import Unmet


@pytest.mark.points(2)
def test_shape(answers):
    """`images` is a tensor of four images, three rows, three columns and one channel."""
    answers["images"].expect_shape((4, 3, 3, 1))


@pytest.mark.points(1)
def test_brightness(answers):
    """Every pixel is a brightness from 0 to 9."""
    answers["images"].expect_shape((4, 3, 3, 1))
    answers["images"].expect_between(0, 9)


@pytest.mark.points(1)
def test_labels(answers):
    """`labels` has a 0 or a 1 for each image, two of each."""
    answers["labels"].expect_true(
        lambda given: sorted(np.ravel(given).tolist()) == [0, 0, 1, 1],
        "four labels, two 0 and two 1",
        hint="One label for each of your images, in their order.",
    )


@pytest.mark.points(1)
def test_input_shape(model):
    """The network takes images as they are, one channel and all."""
    model.expect_input_shape((None, 3, 3, 1))


@pytest.mark.points(1)
def test_size(model):
    """It has at most 200 parameters."""
    model.expect_params(at_most=200)


@pytest.mark.points(2)
def test_output_and_loss(model, fits):
    """One sigmoid unit, the loss and the labels belong together."""
    model.expect_output("sigmoid", units=1)
    fits.expect_output_loss_and_labels_match("binary")


@pytest.mark.points(2)
def test_own_images(fits):
    """At the end of its training it is right about all four images."""
    fits.expect_trained()
    fits.expect_history("accuracy")
    share = fits.series("accuracy")[-1]
    if share < 1:
        raise Unmet(
            expected="4 of 4 images right in the last epoch",
            received=f"{4 * share:g} of 4",
            hint="With four images an epoch is a single update, or a few. Does the accuracy still "
            "rise?",
        )
