"""A part of a data set, for trials in which nobody asks how well a network does."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from grader.datasets.arrays import read_npz, sha256_of, write_npz
from grader.datasets.records import Dataset

_PASSABLE, _OPEN, _READABLE = 0o711, 0o755, 0o644
"""Student code runs as another user: it gets to what is served, and past what lies above."""
_OURS = 0o700


def is_divisible(dataset: Dataset) -> bool:
    """Whether a part can be served; of CIFAR-10, Keras reads batches of 10,000 images or none."""
    return all(file.is_file() for file in dataset.served.iterdir())


def part_of(dataset: Dataset, rows: int, folder: Path) -> Dataset:
    """Serve and hold out only the first rows; nothing is extra.

    What cannot be served in part is served whole.

    Args:
        dataset: The whole.
        rows: How many of each split.
        folder: A private folder for the files.

    Raises:
        DataError: A file cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(_PASSABLE)
    part = dataclasses.replace(
        dataset,
        **_held_out_part(dataset, rows, folder),
        extra=None,
        description=f"the first {rows:,} rows of {dataset.description}",
    )
    if not is_divisible(dataset):
        return part
    served = _served_part(dataset, rows, folder / "served")
    return dataclasses.replace(
        part,
        served=served,
        served_sha256=tuple(sha256_of(file) for file in sorted(served.iterdir())),
    )


def _served_part(dataset: Dataset, rows: int, served: Path) -> Path:
    served.mkdir()
    served.chmod(_OPEN)
    for file in sorted(dataset.served.iterdir()):
        copy = served / file.name
        if file.suffix == ".npz":
            arrays = read_npz(file)
            write_npz(copy, {name: array[:rows] for name, array in arrays.items()})
        else:
            copy.write_bytes(file.read_bytes())
        copy.chmod(_READABLE)
    return served


def _held_out_part(dataset: Dataset, rows: int, folder: Path) -> dict[str, Any]:
    if not dataset.samples:
        return {}
    held_out, labels = folder / "held-out", folder / "labels"
    for each in (held_out, labels):
        each.mkdir(_OURS)
    arrays = {
        file.stem: np.load(file, mmap_mode="r", allow_pickle=False)
        for file in sorted(dataset.held_out.glob("*.npy"))
    }
    if "lengths" in arrays:  # the reviews lie one after the other
        arrays["ranks"] = arrays["ranks"][: arrays["lengths"][:rows].sum()]
    for name, array in arrays.items():
        of_all = name.startswith("train_")  # what all of the training data has on average
        np.save(held_out / f"{name}.npy", array if of_all or name == "ranks" else array[:rows])
    np.save(labels / "labels.npy", dataset.labels()[:rows])
    return {
        "held_out": held_out,
        "labels_file": labels / "labels.npy",
        "labels_sha256": sha256_of(labels / "labels.npy"),
    }
