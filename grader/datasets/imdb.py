"""IMDb: 50,000 film reviews as sequences of word ranks, half of them positive.

A. Maas et al., Learning word vectors for sentiment analysis, ACL 2011; as
``keras.datasets.imdb`` has it. A file has the bare ranks, 1 for the most frequent word; Keras'
``load_data`` puts 1 before each review, adds 3 to each rank, and writes 2 for what is then not
below ``num_words``.
"""

import json
from collections.abc import Mapping
from itertools import chain

import numpy as np

from grader.datasets import reviews
from grader.datasets.arrays import Arrays, read_npz, write_npz
from grader.datasets.recipe import Files, Layout, Recipe, served_as_test
from grader.errors import DataError

_FILE, _INDEX = "imdb.npz", "imdb_word_index.json"
_REVIEWS = 25_000
_DRAW = 2011

_NUM_WORDS = 10_000
_START, _OUT_OF_VOCABULARY, _OFFSET = 1, 2, 3


def _read(files: Files) -> Arrays:
    found = read_npz(files[_FILE])
    content: dict[str, np.ndarray] = {}
    for split in ("train", "test"):
        try:
            content |= _read_split(found, split)
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise DataError(
                f"{files[_FILE]} is not IMDb: it should have x_train, y_train, x_test and "
                f"y_test, each of {_REVIEWS} reviews or labels.\nReceived: {error}",
                remedy="Delete it, or put Keras' own imdb.npz in its place.",
            ) from error
    if _INDEX in files:
        content["word_index"] = _read_index(files)
    return content


def _read_split(found: Arrays, split: str) -> Arrays:
    """Flatten one half of the reviews.

    Raises:
        KeyError, OverflowError, TypeError, ValueError: They are no reviews.
    """
    rows, labels = found[f"x_{split}"], found[f"y_{split}"]
    if rows.shape != (_REVIEWS,) or labels.shape != (_REVIEWS,):
        raise ValueError(f"{rows.shape} reviews and {labels.shape} labels")
    lengths = np.fromiter(map(len, rows), np.int32, _REVIEWS)
    ranks = np.fromiter(chain.from_iterable(rows), np.int32)
    if not lengths.all() or ranks.min() < 1:
        raise ValueError("a review that is not a list of ranks from 1")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("labels other than 0 and 1")
    return {
        f"{split}_ranks": ranks,
        f"{split}_lengths": lengths,
        f"y_{split}": labels.astype(np.int64),
    }


def _read_index(files: Files) -> np.ndarray:
    text = files[_INDEX].read_bytes()
    try:
        index = json.loads(text)
    except ValueError:
        index = None
    if not isinstance(index, dict):
        raise DataError(
            f"{files[_INDEX]} is not the word index of IMDb, an object of words and ranks.",
            remedy="Delete it, or put Keras' own imdb_word_index.json in its place.",
        )
    return np.frombuffer(text, np.uint8)


def _lay_out(content: Arrays, layout: Layout) -> Mapping[str, float]:
    lengths = content["train_lengths"]
    rows = _rows(content["train_ranks"], lengths)
    shown = served_as_test(_DRAW, _REVIEWS, _REVIEWS)
    served = {
        "x_train": rows,
        "y_train": content["y_train"],
        "x_test": rows[shown],
        "y_test": content["y_train"][shown],
    }
    write_npz(layout.served / _FILE, served)
    if "word_index" in content:
        (layout.served / _INDEX).write_bytes(content["word_index"].tobytes())
    inputs = as_loaded(content["test_ranks"], content["test_lengths"])
    np.save(layout.held_out / "ranks.npy", inputs)
    np.save(layout.held_out / "lengths.npy", content["test_lengths"] + np.int32(1))
    np.save(layout.labels / "labels.npy", content["y_test"])
    return {
        "num_words": float(_NUM_WORDS),
        "mean_length": float(lengths.sum() / _REVIEWS + 1),
        "longest": float(lengths.max() + 1),
    }


def _rows(ranks: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Cut the ranks into reviews: ``(25000,)`` objects, each a list."""
    rows = np.empty(len(lengths), object)
    ends = np.cumsum(lengths).tolist()
    flat = ranks.tolist()
    start = 0
    for place, end in enumerate(ends):
        rows[place] = flat[start:end]
        start = end
    return rows


def as_loaded(ranks: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Write reviews as ``load_data(num_words=10000)`` gives them.

    Args:
        ranks: Bare ranks of all reviews, ``(tokens,)``.
        lengths: How many each review has, ``(reviews,)``.

    Returns:
        ``(tokens + reviews,)`` int32: before each review a 1, ranks plus 3, and 2 for the
        words that are not frequent enough.
    """
    kept = ranks + _OFFSET
    kept = np.where(kept < _NUM_WORDS, kept, _OUT_OF_VOCABULARY)
    starts = np.cumsum(lengths) - lengths
    return np.insert(kept, starts, _START).astype(np.int32)


RECIPE = Recipe(
    name="imdb",
    title="IMDb",
    files=(_FILE,),
    extras=(_INDEX,),
    keras_sha256={
        _FILE: "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
        _INDEX: "027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6",
    },
    read=_read,
    lay_out=_lay_out,
    make=reviews.make,
    made=reviews.RECIPE,
    stand_in=(
        "50,000 made-up reviews in a made-up language, with the real ones' lengths and word "
        "frequencies; not the real IMDb"
    ),
)
