"""The stand-ins: the same everywhere, shaped like the real sets, split without a leak."""

import json

import numpy as np
import pytest

from grader.datasets import digits, reviews
from grader.datasets.arrays import read_npz

DIGESTS = {
    "mnist": "0cf20bf14b2122db9d45f1d05f0a6cffffbb3f24e443de8c0ed75fd37f0b5ab2",
    "imdb": "160a556ae9c89a99eb42d38254788c12a23d4cfc90c83b26ea8f2f3371630e33",
}
"""What both stand-ins are, bit for bit: change them only together with their ``RECIPE``."""


@pytest.mark.parametrize("name", ["mnist", "imdb"])
def test_it_is_the_same_everywhere(stand_ins, name):
    assert stand_ins[name].digest == DIGESTS[name]


@pytest.mark.parametrize("name", ["mnist", "imdb"])
def test_it_says_what_it_is(stand_ins, name):
    description = stand_ins[name].description

    assert description.startswith("the embedded stand-in: ")
    assert "; not the real " in description


def test_no_source_digit_is_in_both_halves(monkeypatch):
    drawn = []
    monkeypatch.setattr(digits, "_TRAIN", 6000)
    monkeypatch.setattr(digits, "_TEST", 1000)
    monkeypatch.setattr(
        digits,
        "_deform",
        lambda _fine, sources, _rng: drawn.append(sources) or [np.zeros((1, 28, 28))],
    )
    made = digits.make()
    _, labels, for_test = digits.source_digits()
    train, test = drawn

    assert not set(train) & set(test)
    assert set(train) | set(test) == set(range(1797))
    assert set(np.flatnonzero(for_test)) == set(test)
    assert (made["y_train"] == labels[train]).all()
    assert (made["y_test"] == labels[test]).all()


def test_digits_are_shaped_and_inked_like_mnist(stand_ins):
    found = read_npz(stand_ins["mnist"].served / "mnist.npz")
    x, y = found["x_train"], found["y_train"]

    assert (x.shape, x.dtype, y.shape, y.dtype) == ((60000, 28, 28), np.uint8, (60000,), np.uint8)
    assert (x.min(), x.max()) == (0, 255)
    assert 30 < x.mean() < 42
    assert 0.18 < (x > 0).mean() < 0.26
    assert (x[:, (0, -1)] > 0).mean() < 0.02
    assert (x[:, :, (0, -1)] > 0).mean() < 0.02
    counts = np.bincount(y)
    assert counts.shape == (10,)
    assert counts.min() > 5500


def test_no_two_digits_are_the_same_image(stand_ins):
    x = read_npz(stand_ins["mnist"].served / "mnist.npz")["x_train"].reshape(60000, -1)

    assert len({row.tobytes() for row in x}) == 60000


@pytest.fixture(scope="module")
def corpus():
    return reviews.make()


def test_reviews_are_as_long_as_the_real_ones(corpus):
    for split in ("train", "test"):
        lengths = corpus[f"{split}_lengths"]

        assert lengths.shape == (25000,)
        assert 225 < lengths.mean() < 245
        assert 170 < np.median(lengths) < 185
        assert (lengths.min(), lengths.max()) == (11, 2494)
        assert lengths.sum() == len(corpus[f"{split}_ranks"])


def test_half_of_the_reviews_are_positive(corpus):
    for split in ("train", "test"):
        assert np.bincount(corpus[f"y_{split}"]).tolist() == [12500, 12500]


def test_words_are_as_frequent_as_in_the_real_reviews(corpus):
    ranks = corpus["train_ranks"]

    assert ranks.min() == 1
    assert 88000 < ranks.max() <= reviews.VOCABULARY
    # The real reviews: 0.236, 0.511, 0.764 and 0.943.
    for rank, share in ((10, 0.236), (100, 0.511), (1000, 0.764), (9996, 0.943)):
        assert abs((ranks <= rank).mean() - share) < 0.02


def test_each_rank_has_a_word_that_can_be_spoken(corpus):
    index = json.loads(corpus["word_index"].tobytes())

    assert list(index.values()) == list(range(1, reviews.VOCABULARY + 1))
    assert len(index) == reviews.VOCABULARY
    assert all(len(word) in {2, 4, 6} for word in index)
    assert all(set(word[1::2]) <= set("aeiou") for word in index)
