"""A part of a data set, for trials in which nobody asks how well a network does."""

import dataclasses
from pathlib import Path

from grader.datasets.arrays import read_npz, sha256_of, write_npz
from grader.datasets.records import Dataset

_PASSABLE, _OPEN, _READABLE = 0o711, 0o755, 0o644
"""Student code runs as another user: it gets to what is served, and past what lies above."""


def is_divisible(dataset: Dataset) -> bool:
    """Whether a part can be served; of CIFAR-10, Keras reads batches of 10,000 images or none."""
    return all(file.is_file() for file in dataset.served.iterdir())


def part_of(dataset: Dataset, rows: int, folder: Path) -> Dataset:
    """Serve only the first rows of each split; what is held out stays whole, and nothing is extra.

    Args:
        dataset: The whole.
        rows: How many of each split.
        folder: A private folder for the files.

    Raises:
        DataError: A served file cannot be read.
    """
    served = folder / "served"
    served.mkdir(parents=True)
    folder.chmod(_PASSABLE)
    served.chmod(_OPEN)
    for file in sorted(dataset.served.iterdir()):
        copy = served / file.name
        if file.suffix == ".npz":
            arrays = read_npz(file)
            write_npz(copy, {name: array[:rows] for name, array in arrays.items()})
        else:
            copy.write_bytes(file.read_bytes())
        copy.chmod(_READABLE)
    return dataclasses.replace(
        dataset,
        served=served,
        served_sha256=tuple(sha256_of(file) for file in sorted(served.iterdir())),
        extra=None,
        description=f"the first {rows:,} rows of {dataset.description}",
    )
