"""What must be known of a data set to serve it: one :class:`Recipe` for each.

A new data set is a module with a recipe in it and an entry in
:data:`grader.datasets.finding.RECIPES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grader.datasets.arrays import Arrays

Files = Mapping[str, Path]
"""Where the files of a data set lie, by the names Keras gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The three parts a data set is taken into, each in a folder of its own."""

    served: Path
    """What students get: the files of Keras' cache."""
    held_out: Path
    """What the judge gets: inputs without labels."""
    labels: Path
    """What nobody but the host gets: ``labels.npy``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one data set is found, checked, made and taken apart."""

    name: str
    """What Keras calls it: ``keras.datasets.<name>``."""
    title: str
    """What people call it."""
    files: tuple[str, ...]
    """The files it cannot do without, as Keras names them in its cache.

    With :attr:`find`, what may be there instead of each other.
    """
    extras: tuple[str, ...] = ()
    """Files that are served where they are there."""
    find: Callable[[Path], Files | None] | None = None
    """Finds its files in a folder, the main one first, where names alone do not tell."""
    host: str = "storage.googleapis.com"
    """Where Keras downloads it from."""
    keras_sha256: Mapping[str, str]
    """The SHA-256 of each of Keras' own files, as far as it is known."""
    originals: frozenset[str] = frozenset()
    """Digests of content that is known to be the original, whatever file it came in."""
    read: Callable[[Files], Arrays]
    """Reads the files into plain arrays, the same for the same content.

    Raises :class:`~grader.errors.DataError` when they are not what the data set ought to be.
    """
    lay_out: Callable[[Arrays, Layout], Mapping[str, float]]
    """Writes the three parts; gives facts of the training inputs."""
    make: Callable[[], Arrays]
    """Makes the stand-in."""
    made: int
    """The version of the stand-in: raised whenever one value of it changes."""
    stand_in: str
    """What the stand-in is, to follow on "the embedded stand-in: "."""


def served_as_test(seed: int, train: int, test: int) -> np.ndarray:
    """Draw the training examples that students are served as the test split.

    Args:
        seed: The same one gives the same draw.
        train: How many training examples there are.
        test: How many the real test split has.

    Returns:
        Their places, ``(test,)``, each at most once.
    """
    return np.random.default_rng(seed).permutation(train)[:test]
