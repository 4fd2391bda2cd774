"""A second held-out set: samples that were never shown to anybody, or the held-out ones changed.

Who has learnt the held-out samples by heart, because they are public, answers them better than
others of their kind. What is served is that of the data set itself, and nothing is served of this.
"""

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from grader.datasets.arrays import Arrays
from grader.datasets.cache import FORMAT, Cache
from grader.datasets.own import load_own
from grader.datasets.recipe import Layout, Recipe
from grader.datasets.records import Dataset
from grader.errors import DataError
from grader.records import Transform

NOISE = 0.1
"""Deviation of the noise on each value, in deviations of the training data."""
DROPPED = 0.1
"""The share of words that is left out of a text."""
OTHERWISE_SCALED = 10.0
"""Factor by which the deviations of two samples of the same kind never differ."""
_VERSION = 1
"""Raised whenever the same settings give another set."""
_SEED = 1729
_IMAGES = (3, 4)
"""Axes of several images, without and with channels."""


def with_extra(
    dataset: Dataset,
    file: str | None,
    transform: Transform | None,
    folder: Path,
    *,
    data_dir: Path | None = None,
) -> Dataset:
    """Lay an extra set beside a data set.

    Args:
        dataset: What is served, and held out.
        file: The name of a file with ``x_test`` and ``y_test``; without one, the held-out samples.
        transform: How their inputs are changed.
        folder: The assignment's, where the file lies.
        data_dir: A folder to look in first; ``GRADER_DATA`` by default.

    Returns:
        The data set, with :attr:`Dataset.extra`. Where nothing is held out, as in the students'
        copy of it, there is no extra set either.

    Raises:
        DataError: The file is not there or does not suit the data set, the change is none, or the
            cache cannot be written.
    """
    if not dataset.samples:
        return dataset
    given = load_own(file, folder, data_dir=data_dir) if file else dataset
    if given is not dataset:
        _check(f"{file}", given, dataset)
    said = f"extra {_VERSION} {FORMAT}\n{dataset.digest} {given.digest} {transform}"
    key = hashlib.sha256(said.encode()).hexdigest()
    cache, recipe = Cache.of_user(), _recipe(dataset)
    entry = cache.find(key) or cache.store(key, recipe, _content(dataset, given, transform))
    how = {"noise": ", with noise", "shift": ", shifted", None: ""}[transform]
    extra = dataclasses.replace(
        dataset,
        description=f"{file or 'the held-out samples'}{how}",
        digest=entry.digest,
        held_out=entry.layout.held_out,
        labels_file=entry.layout.labels / "labels.npy",
        labels_sha256=str(entry.files["c/labels.npy"]["sha256"]),
    )
    return dataclasses.replace(dataset, extra=extra)


def is_of_words(dataset: Dataset) -> bool:
    """Whether the samples are texts, as lists of word numbers."""
    return (dataset.held_out / "ranks.npy").exists()


# ------------------------------------------------------------------ what it is made of


def _content(dataset: Dataset, given: Dataset, transform: Transform | None) -> Arrays:
    held_out = {
        file.stem: np.load(file, allow_pickle=False)
        for file in sorted(dataset.held_out.glob("*.npy"))
    }
    asked = ("ranks", "lengths") if is_of_words(dataset) else ("inputs",)
    before = {name: np.load(given.held_out / f"{name}.npy", allow_pickle=False) for name in asked}
    rng = np.random.default_rng(_SEED)
    after = before if transform is None else _changes(dataset)[transform](before, rng)
    if all(np.array_equal(after[name], held_out[name]) for name in asked):
        what = f"transform = {transform!r} changes nothing in" if transform else "the file holds"
        raise DataError(
            f"The extra set of {dataset.name} is the held-out one: {what} the held-out samples.",
            remedy="Under [extra], name other samples or another transform.",
        )
    return {**held_out, **after, "labels": given.labels()}


def _changes(
    dataset: Dataset,
) -> Mapping[Transform, Callable[[Arrays, np.random.Generator], Arrays]]:
    facts = dataset.train_facts
    if is_of_words(dataset):
        return {"noise": _without_some_words, "shift": _refused}
    return {
        "noise": lambda held, rng: {"inputs": _noisy(held["inputs"], facts, rng)},
        "shift": lambda held, rng: {"inputs": _shifted(held["inputs"], rng)},
    }


def _noisy(x: np.ndarray, facts: Mapping[str, float], rng: np.random.Generator) -> np.ndarray:
    """Add normal noise; values stay in the range of the data, and whole numbers whole."""
    noise = rng.normal(0.0, NOISE * facts["std"], x.shape)
    low, high = min(facts["min"], float(x.min())), max(facts["max"], float(x.max()))
    noisy = (x + noise).clip(low, high)
    return np.asarray((np.rint(noisy) if x.dtype.kind in "biu" else noisy).astype(x.dtype))


def _shifted(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move each image by one pixel in one of eight directions; its edge is repeated."""
    if x.ndim not in _IMAGES:
        _refused({"inputs": x}, rng)
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), *[(0, 0)] * (x.ndim - 3)], mode="edge")
    height, width = x.shape[1:3]
    ways = [(down, right) for down in range(3) for right in range(3) if (down, right) != (1, 1)]
    drawn, shifted = rng.integers(0, len(ways), len(x)), np.empty_like(x)
    for number, (down, right) in enumerate(ways):
        mine = drawn == number
        shifted[mine] = padded[mine, down : down + height, right : right + width]
    return shifted


def _without_some_words(held: Arrays, rng: np.random.Generator) -> Arrays:
    """Leave words out of each text, but never its start."""
    ranks, lengths = held["ranks"], held["lengths"]
    kept = rng.random(len(ranks)) >= DROPPED
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    kept[starts[lengths > 0]] = True
    counts = np.concatenate([[0], np.cumsum(kept)])
    return {
        "ranks": ranks[kept],
        "lengths": (counts[starts + lengths] - counts[starts]).astype(lengths.dtype),
    }


def _refused(held: Arrays, rng: np.random.Generator) -> Arrays:
    del held, rng
    raise DataError(
        'extra.transform: "shift" moves images, and these samples are none.',
        remedy='Take transform = "noise", or a file of other samples.',
    )


def _recipe(dataset: Dataset) -> Recipe:
    """Take it apart as held-out inputs and labels; nothing of it is served."""

    def lay_out(content: Arrays, layout: Layout) -> Mapping[str, float]:
        for name, array in content.items():
            folder = layout.labels if name == "labels" else layout.held_out
            np.save(folder / f"{name}.npy", array)
        return dataset.train_facts

    def never(_: object = None) -> Arrays:
        raise DataError(f"The extra set of {dataset.name} cannot be found or made by itself.")

    return Recipe(
        name=f"{dataset.name}-extra",
        title=f"the extra set of {dataset.name}",
        files=(),
        keras_sha256={},
        read=never,
        lay_out=lay_out,
        make=never,
        made=0,
        stand_in="none",
    )


# ------------------------------------------------------------------ what does not suit


def _check(name: str, given: Dataset, dataset: Dataset) -> None:
    """See that a file holds samples of the same kind, and nothing else."""
    if is_of_words(dataset):
        raise DataError(
            f"{name}: the samples of {dataset.name} are texts of any length, which no array holds.",
            remedy='Under [extra], take transform = "noise" and no file.',
        )
    if given.served_sha256:
        raise DataError(
            f"{name}: holds x_train, and of an extra set nothing is served.",
            remedy="Leave x_train and y_train out.",
        )
    wanted = np.load(dataset.held_out / "inputs.npy", mmap_mode="r", allow_pickle=False)
    found = np.load(given.held_out / "inputs.npy", mmap_mode="r", allow_pickle=False)
    if found.shape[1:] != wanted.shape[1:]:
        raise DataError(
            f"{name}: the rows of x_test should have the shape of those of {dataset.name}, "
            f"{wanted.shape[1:]}.\nReceived: {found.shape[1:]}"
        )
    if not len(found):
        raise DataError(f"{name}: x_test has no rows.")
    ratio = float(found.std(dtype=np.float64)) / dataset.train_facts["std"]
    if abs(math.log(ratio or math.ulp(0.0))) > math.log(OTHERWISE_SCALED):
        raise DataError(
            f"{name}: x_test should be scaled as {dataset.name} is, {_range(wanted)}.\n"
            f"Received: {_range(found)}",
            remedy="The grader itself scales both as the student does: give them as they are.",
        )


def _range(x: np.ndarray) -> str:
    return f"{x.min():g}…{x.max():g}"
