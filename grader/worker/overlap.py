"""Tells whose rows a student trains, validates and tests with, and whether labels are theirs.

The rows are compared with the served files, which the student's code may read anyway; what is
held out is nowhere near. The served test set may consist of training examples, so that a row alone
does not tell where it was taken from: the share of such rows does, or their order.
"""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import keras
import numpy as np

from .ahead import Ahead, identities
from .fingerprints import (
    FREQUENT,
    MARKS,
    WIDE,
    Array,
    Known,
    Looked,
    Served,
    directions,
    look,
    served,
)

SURE = 5.0
"""Standard deviations beyond which a share is no chance."""
MOSTLY = 0.5
TEXTS_AT_ONCE = 5000
_ARRAYS = ("x_train", "y_train", "x_test", "y_test")


class Overlap:
    """Describes the rows that enter ``fit`` and ``evaluate``."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._files: frozenset[tuple[int, ...]] = frozenset()
        self._known: Known | None = None

    def load(self, folder: Path, ahead: Ahead) -> None:
        """Get to know the served data before a process is forked for each run; no thread is left.

        Args:
            folder: The served files.
            ahead: What was decoded of them.
        """
        sets = []
        for _, result in ahead.decoded(folder):
            with contextlib.suppress(Exception):  # whatever it is, it is no set of rows
                (x_train, y_train), (x_test, y_test) = result
                make = _texts if x_train.dtype == object else _rows
                sets.append(make(x_train, y_train, x_test, y_test))
        if sets:
            self._folder, self._files, self._known = folder, identities(folder), Known(*sets)

    def use(self, folder: Path | None) -> None:
        """Compare with these served files from now on; they are read when they are needed.

        Texts are only known where they were decoded ahead: to read them takes seconds.
        """
        files = identities(folder) if folder else frozenset()
        if files != self._files:
            self._files, self._known = files, None
        self._folder = folder

    @property
    def known(self) -> Known:
        """The served data."""
        if self._known is None:
            self._known = Known(*(_read(self._folder) if self._folder else ()))
        return self._known

    def fit(self, x: Any, y: Any, validation_data: Any, validation_split: float) -> dict[str, Any]:
        """Describe the rows of a training: ``rows``, ``validation_rows``, ``validation_shared``."""
        looked, held, held_y = self._look(x), None, None
        if isinstance(validation_data, tuple | list) and len(validation_data) > 1:
            held, held_y = self._look(validation_data[0]), _array(validation_data[1])
        y = _array(y)
        if looked is not None and validation_data is None and 0 < validation_split < 1:
            split = math.floor(looked.total * (1 - validation_split))
            held, held_y = looked.part(split, looked.total), y
            looked = looked.part(0, split)
        return {
            "rows": _facts(looked, y),
            "validation_rows": _facts(held, held_y),
            "validation_shared": _shared(held, looked) if held and looked else None,
        }

    def evaluation(self, x: Any, y: Any) -> dict[str, Any]:
        """Describe the rows of an evaluation: ``rows``."""
        return {"rows": _facts(self._look(x), _array(y))}

    def _look(self, x: Any) -> Looked | None:
        array = _array(x)
        return None if array is None else look(array, self.known)


def _array(value: Any) -> Array | None:
    """Give an array or a tensor as an array; ``None`` for anything else."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, np.ndarray):
        return value
    if keras.ops.is_tensor(value) or isinstance(value, keras.Variable):
        return np.asarray(value)
    return None


# ------------------------------------------------------------------ what is known


def _read(folder: Path) -> Iterator[Served]:
    for path in sorted(folder.glob("*.npz")):
        # A damaged file is a finding for the one who reads it; object arrays are refused.
        with contextlib.suppress(Exception), np.load(path, allow_pickle=False) as found:
            yield _rows(*(found[name] for name in _ARRAYS))


def _rows(x_train: Array, y_train: Array, x_test: Array, y_test: Array) -> Served:
    train, test = directions(x_train), directions(x_test)
    return served(train, y_train, test, y_test, width=x_train[0].size)


def _texts(x_train: Array, y_train: Array, x_test: Array, y_test: Array) -> Served:
    train, test = (
        np.concatenate(
            [
                directions(_multi_hot(texts[start : start + TEXTS_AT_ONCE]))
                for start in range(0, len(texts), TEXTS_AT_ONCE)
            ]
        )
        for texts in (x_train, x_test)
    )
    return served(train, y_train, test, y_test, width=0)


def _multi_hot(texts: Array) -> Array:
    """Write the frequent words of texts as zeros and ones; no others are looked at."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    words = np.fromiter(chain.from_iterable(texts), np.int64, int(lengths.sum()))
    rows = np.repeat(np.arange(len(texts)), lengths)
    known = (words >= MARKS) & (words < MARKS + FREQUENT)
    found = np.zeros((len(texts), WIDE + 1), np.uint8)
    found[rows[known], words[known]] = 1
    return found


# ------------------------------------------------------------------ what is told


def _facts(looked: Looked | None, y: Array | None) -> dict[str, Any] | None:
    if looked is None:
        return None
    known = looked.places >= 0
    labelled, right = _labels(looked, y)
    return {
        "total": looked.total,
        "looked_at": len(looked.rows),
        "known": int(known.sum()),
        "from_test": _from_test(looked),
        "repeated": looked.repeated,
        "labelled": labelled,
        "labels_right": right,
    }


def _shared(held: Looked, looked: Looked) -> int | None:
    """Count validation rows that are training rows; ``None`` when they may be from the test set.

    A served test row may be a training row: who validates on it, or trains on the test set, has
    not taken it from there.
    """
    shared, data = held.shared_with(looked), held.data
    if not shared or data is None or not (held.places >= 0).any():
        return shared
    held_from_test, from_test = _from_test(held), _from_test(looked)
    if held_from_test == from_test == 0:
        return shared
    if data.share < MOSTLY:
        others = (held.places < 0) | (data.in_test[held.places] < 0)
        hits = replace(held, identities=np.where(others, held.identities, 0)).shared_with(looked)
        return min(round(hits / (1 - data.share)), held.total)
    if held_from_test is None or (from_test or 0) > MOSTLY * looked.total:
        return None
    return max(0, shared - held_from_test)


def _from_test(looked: Looked) -> int | None:
    """Estimate how many rows were taken from the served test set; ``None`` when nothing tells."""
    data, known = looked.data, looked.places >= 0
    if data is None or not known.any():
        return None
    in_test = np.where(known, data.in_test[looked.places], -1)
    in_order = _in_order(in_test, looked.rows)
    count, chance = int(known.sum()), data.share
    taken = int(in_order.sum())
    if chance < MOSTLY:
        # Of honest training rows, a share stands in the test set as well.
        more = (int((in_test >= 0).sum()) - chance * count) / (1 - chance)
        deviation = math.sqrt(count * chance * (1 - chance)) / (1 - chance)
        taken = max(taken, round(more) if more > SURE * deviation else 0)
    else:
        in_training = np.where(looked.places < data.training, looked.places, -1)
        told = in_order | _in_order(in_training, looked.rows)
        if told.sum() < MOSTLY * count:
            return None  # shuffled: they may come from here or there
    return round(taken * looked.total / len(looked.rows))


def _in_order(places: Array, rows: Array) -> Array:
    """Mark the rows that follow each other as they do in the served data."""
    follows = (
        (np.diff(places) == np.diff(rows)) & (places[1:] >= 0) & (places[:-1] >= 0)
        if len(rows) > 1
        else np.zeros(0, bool)
    )
    return np.asarray(np.append(follows, False) | np.append(False, follows))


def _labels(looked: Looked, y: Array | None) -> tuple[int, int]:
    """Count the recognised rows that have a label, and those whose label is their own."""
    if y is None or looked.data is None or not len(looked.rows) or len(y) <= looked.rows[-1]:
        return 0, 0
    known = looked.places >= 0
    classes = _classes(y[looked.rows[known]]) if known.any() else None
    if classes is None:
        return 0, 0
    return len(classes), int((classes == looked.data.labels[looked.places[known]]).sum())


def _classes(y: Array) -> Array | None:
    """Read labels as classes: integers, or the place of the largest of several numbers."""
    if y.dtype.kind not in "biuf":
        return None
    if y.ndim == 2 and y.shape[1] > 1:  # noqa: PLR2004
        return np.asarray(y.argmax(axis=1))
    flat = y.reshape(len(y), -1)
    if flat.shape[1] != 1 or not (flat == np.rint(flat)).all():
        return None
    return np.asarray(flat[:, 0])
