"""The stand-in for CIFAR-10: the same everywhere, and nothing a colour or a pixel gives away."""

import numpy as np
import pytest

from grader.datasets import cifar10, digits, pictures
from grader.datasets.arrays import digest_of

DIGEST = "bf77ee94f14c6e8a766dba94ae033793e52e3ea2831f2f084334571393f299d3"
"""What it is, bit for bit: change it only together with ``RECIPE``."""


@pytest.fixture(scope="module")
def shown():
    return digits.make()


@pytest.fixture(scope="module")
def made(shown):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digits, "make", lambda: shown)
        return pictures.make()


def test_it_is_the_same_everywhere(made):
    assert digest_of(made) == DIGEST


def test_it_is_shaped_like_cifar10(made):
    x, y = made["x_train"], made["y_train"]

    assert (x.shape, x.dtype, y.shape, y.dtype) == (
        (50000, 32, 32, 3), np.uint8, (50000,), np.uint8,
    )  # fmt: skip
    assert made["x_test"].shape == (10000, 32, 32, 3)
    assert np.bincount(y).min() > 4500
    assert np.bincount(made["y_test"]).min() > 900
    # The real ones: 121 and 64.
    assert 90 < x.mean() < 135
    assert 25 < x.std() < 70


def test_no_two_pictures_are_the_same(made):
    rows = [row.tobytes() for row in made["x_train"][:, ::5, ::5].reshape(50000, -1)]

    assert len(set(rows)) == 50000


def test_the_mean_picture_of_a_class_tells_little(made):
    x, y = made["x_train"].reshape(50000, -1), made["y_train"]
    means = np.stack([x[y == label].mean(axis=0) for label in range(10)]).astype("float32")
    tests = made["x_test"].reshape(10000, -1).astype("float32")
    distances = (means**2).sum(axis=1) - 2 * tests @ means.T
    share = (distances.argmin(axis=1) == made["y_test"]).mean()

    # The real photographs: 0.28.
    assert 0.2 < share < 0.4


def test_training_pictures_show_training_digits_and_test_pictures_test_digits(made, shown):
    for split, count in (("train", 50000), ("test", 10000)):
        assert (made[f"y_{split}"] == shown[f"y_{split}"][:count]).all()


def test_it_says_what_it_is():
    assert "; not the real CIFAR-10" in cifar10.RECIPE.stand_in
