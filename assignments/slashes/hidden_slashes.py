import numpy as np
import pytest


def direction(image):
    r"""0 for a /, 1 for a \, None for anything else."""
    lit = np.array(image)[:, :, 0] > 0
    if (lit == np.eye(3, dtype=bool)[:, ::-1]).all():
        return 0
    return 1 if (lit == np.eye(3, dtype=bool)).all() else None


@pytest.mark.points(2)
def test_strokes(answers):
    r"""Two images show a /, two a \, and nothing else is lit."""
    answers["images"].expect_shape((4, 3, 3, 1))
    answers["images"].expect_true(
        lambda given: sorted(map(str, map(direction, given))) == ["0", "0", "1", "1"],
        "two strokes from the lower left to the upper right, two from the upper left to the lower "
        "right, and 0 everywhere else",
        hint="Print each image's nine numbers as three rows: `images[0, :, :, 0]`.",
    )
    answers["images"].expect_true(
        lambda given: len({str(image) for image in given}) == len(given),
        "four different images",
    )


@pytest.mark.points(2)
@pytest.mark.requires("test_strokes")
def test_labels_belong_to_images(answers):
    """Each image has the label of what it shows."""
    wanted = [direction(image) for image in answers["images"].value]
    answers["labels"].expect_true(
        lambda given: np.ravel(given).tolist() == wanted,
        "0 for each / and 1 for each \\, in the order of the images",
        hint="Which of the two strokes is the 1?",
    )


@pytest.mark.points(3)
def test_other_brightness(held_out):
    """It tells the strokes apart, whatever their brightness."""
    held_out.expect_accuracy()


@pytest.mark.points(1)
def test_both_directions(held_out):
    """It knows both strokes."""
    held_out.expect_each_class(at_least=0.9)
