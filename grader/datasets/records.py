"""The values that this room gives: a data set, what sources offer, how the cache fares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from grader.datasets.arrays import sha256_of
from grader.errors import DataError

Source = Literal["directory", "keras-cache", "download", "stand-in", "own", "none"]
"""Where a data set came from, in the order in which they are tried; ``own``: the assignment's;
``none``: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One data set, taken apart: what students see, what the judge sees, what nobody sees."""

    name: str
    """What Keras calls it: ``"mnist"``, ``"imdb"``, ``"cifar10"``; of an own file, its name."""
    source: Source
    """Where it came from."""
    description: str
    """What it is and whence, for reports; never claims to be what it is not."""
    verified: bool
    """Whether a hash proves that it is the original."""
    digest: str
    """The SHA-256 of its content: equal data, equal digest, whatever the source."""
    served: Path
    """The folder with the files of ``$KERAS_HOME/datasets``, for the student's sandbox.

    Its test split is drawn from the training split.
    """
    served_sha256: tuple[str, ...]
    """The hashes of the files in :attr:`served`, which Keras is told to trust."""
    held_out: Path
    """The folder with held-out inputs and no labels, for the judge's sandbox.

    MNIST: ``inputs.npy`` ``(10000, 28, 28)`` uint8, and ``train_mean.npy``, ``train_std.npy``
    ``(28, 28)`` float64; CIFAR-10: the same, with ``(32, 32, 3)`` for ``(28, 28)``. IMDb:
    ``ranks.npy`` ``(tokens,)`` int32, all reviews one after the other, and ``lengths.npy``
    ``(25000,)`` int32; the ranks are as ``load_data(num_words=10000)`` gives them.
    """
    train_facts: Mapping[str, float]
    """Facts of the training inputs.

    MNIST, CIFAR-10: ``mean``, ``std``, ``min``, ``max`` of all pixels. IMDb: ``mean_length`` and
    ``longest`` with the start mark, ``num_words``.
    """
    labels_file: Path = field(repr=False)
    """The held-out labels: never to be named to a sandbox."""
    labels_sha256: str = field(repr=False)
    """The hash of that file."""
    extra: "Dataset | None" = None
    """The same with another held-out set, where an assignment has two."""

    @property
    def beside(self) -> tuple[str, ...]:
        """The served files that lie in the student's work folder: an assignment's own."""
        if self.source != "own":
            return ()
        return tuple(sorted(file.name for file in self.served.iterdir()))

    @property
    def samples(self) -> int:
        """How many held-out samples there are; no label is read for it."""
        if self.source == "none":
            return 0
        names = ("lengths.npy", "inputs.npy")
        (first, *_) = (self.held_out / name for name in names if (self.held_out / name).exists())
        return _shape(first, first.stat().st_mtime_ns)[0]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one held-out sample of a data set of plain rows."""
        inputs = self.held_out / "inputs.npy"
        return _shape(inputs, inputs.stat().st_mtime_ns)[1:]

    def labels(self) -> np.ndarray:
        """Read the held-out labels; on the host only.

        Returns:
            ``(10000,)`` uint8 for MNIST and CIFAR-10, ``(25000,)`` int64 for IMDb, in the order
            of the held-out inputs.

        Raises:
            DataError: They are missing or are not what was written.
        """
        try:
            written = self.labels_file.stat().st_mtime_ns
            return _labels(self.labels_file, self.labels_sha256, written)
        except (OSError, ValueError) as error:
            raise DataError(
                f"The held-out labels {self.labels_file} are damaged: {error}.",
                remedy=f"Delete {self.labels_file.parents[1]} and run the command again.",
            ) from error


# What follows is asked for every submission of a class: read once, and again when it was written
# anew.


@lru_cache(maxsize=8)
def _shape(file: Path, written: int) -> tuple[int, ...]:  # noqa: ARG001
    return tuple(np.load(file, mmap_mode="r", allow_pickle=False).shape)


@lru_cache(maxsize=8)
def _labels(file: Path, sha256: str, written: int) -> np.ndarray:  # noqa: ARG001
    """Give labels, to be read only; what raises is not remembered."""
    if sha256_of(file) != sha256:
        raise ValueError("its hash differs from the manifest's")
    labels = np.asarray(np.load(file, allow_pickle=False))
    labels.setflags(write=False)
    return labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """What one source has to offer for one data set."""

    name: str
    """The data set."""
    source: Source
    """The source."""
    there: bool
    """Whether the data set can be had from it."""
    where: str
    """Its path, or the host it is downloaded from."""
    verified: bool
    """Whether a hash proves that it is the original."""
    used: bool
    """Whether :func:`load` would use it now."""
    note: str
    """Why it is not there or not used, or what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a thorough look at one entry of the cache found."""

    name: str
    """The data set; empty when not even that can be read."""
    digest: str
    """Its digest."""
    folder: Path
    """Where the entry lies."""
    problems: tuple[str, ...]
    """A sentence for each damage; none when all is well."""
