"""CIFAR-10: 60,000 colour photographs of ten kinds of things, 32 × 32 pixels of 0 to 255.

A. Krizhevsky, Learning multiple layers of features from tiny images, 2009; as
``keras.datasets.cifar10`` has it: six pickled batches of 10,000, in an archive and unpacked beside
it. A folder may also hold the archive alone, the batches alone, or ``cifar10.npz`` with what
``load_data()`` gives.
"""

import io
import pickle
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from grader.datasets import digits, pictures
from grader.datasets.arrays import Arrays, ArrayUnpickler, read_npz
from grader.datasets.recipe import Files, Layout, Recipe, served_as_test
from grader.errors import DataError

_NPZ = "cifar10.npz"
_FOLDER = "cifar-10-batches-py"
_KERAS_FOLDER = f"{_FOLDER}-target"
_KERAS_ARCHIVE = f"{_FOLDER}-target_archive"
_ARCHIVES = (_KERAS_ARCHIVE, f"{_FOLDER}.tar.gz", "cifar-10-python.tar.gz")
"""What Keras 3 and Keras 2 call the download, and what its author calls it."""
_PLACES = (f"{_KERAS_FOLDER}/{_FOLDER}/", f"{_FOLDER}/", "")
"""Where Keras 3 and others unpack it, and the unpacked folder itself."""
_TRAIN_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
_TEST_BATCH = "test_batch"
_BATCHES = (*_TRAIN_BATCHES, _TEST_BATCH)
_ORIGINAL = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"

_TRAIN, _TEST, _BATCH = 50_000, 10_000, 10_000
_IMAGE = (32, 32, 3)
_PIXELS = 32 * 32 * 3
_CLASSES = 10
_DRAW = 2009
_LEAST_ARCHIVE = 1_000_000
"""Bytes. Where the batches lie unpacked, Keras is content with an empty archive, as served here."""
_LARGEST_BATCH = 64_000_000
"""Bytes; a true one has 31 million."""


def _find(folder: Path) -> Files | None:
    if (folder / _NPZ).is_file():
        return {_NPZ: folder / _NPZ}
    for name in _ARCHIVES:
        archive = folder / name
        if archive.is_file() and archive.stat().st_size >= _LEAST_ARCHIVE:
            return {name: archive}
    for place in _PLACES:
        batches = {name: folder / f"{place}{name}" for name in _BATCHES}
        if all(path.is_file() for path in batches.values()):
            return batches
    return None


def _read(files: Files) -> Arrays:
    first = next(iter(files.values()))
    try:
        if _NPZ in files:
            return _checked(read_npz(first))
        return _joined(dict(_loose(files) if _TEST_BATCH in files else _packed(first)))
    except (
        # What tarfile, its decompressors and pickle raise for bytes they cannot read.
        *(OSError, EOFError, tarfile.TarError, pickle.UnpicklingError, ValueError, TypeError),
        *(AttributeError, ImportError, IndexError, KeyError, MemoryError, NotImplementedError),
    ) as error:
        raise DataError(
            f"{first} is not CIFAR-10: it should have the batches {', '.join(_BATCHES)}, each of "
            f"{_BATCH:,} images and labels.\nReceived: {error}",
            remedy="Delete it, or put Keras' own files in its place.",
        ) from error


def _loose(files: Files) -> Iterator[tuple[str, Arrays]]:
    for name in _BATCHES:
        if files[name].stat().st_size > _LARGEST_BATCH:
            raise ValueError(f"{name} is larger than any batch")
        yield name, _batch(files[name].read_bytes())


def _packed(archive: Path) -> Iterator[tuple[str, Arrays]]:
    """Read the batches of an archive in memory: nothing of it is written to a disk."""
    with tarfile.open(archive) as stream:
        for member in stream:
            name = Path(member.name).name
            if name not in _BATCHES:
                continue
            content = stream.extractfile(member) if member.isfile() else None
            if content is None or member.size > _LARGEST_BATCH:
                raise ValueError(f"{member.name} is no batch")
            yield name, _batch(content.read())


def _batch(data: bytes) -> Arrays:
    """Unpickle one batch, which Python 2 wrote: ``x`` ``(10000, 3072)`` and ``y`` ``(10000,)``.

    Raises:
        ValueError: It is none; and whatever pickle raises.
    """
    found: Any = ArrayUnpickler(io.BytesIO(data), encoding="bytes").load()
    x, y = np.asarray(found[b"data"]), np.asarray(found[b"labels"])
    if x.shape != (_BATCH, _PIXELS) or x.dtype != np.uint8 or y.shape != (_BATCH,):
        raise ValueError(f"a batch of images {x.shape}, {x.dtype}, and labels {y.shape}")
    return {"x": x, "y": y}


def _joined(batches: Mapping[str, Arrays]) -> Arrays:
    """Put the batches together; a batch has all red values of an image before the green ones."""
    made: dict[str, np.ndarray] = {}
    for split, names in (("train", _TRAIN_BATCHES), ("test", (_TEST_BATCH,))):
        x = np.concatenate([batches[name]["x"] for name in names])
        made[f"x_{split}"] = x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        made[f"y_{split}"] = np.concatenate([batches[name]["y"] for name in names])
    return _checked(made)


def _checked(found: Arrays) -> Arrays:
    """Give images ``(n, 32, 32, 3)`` and labels ``(n,)``, uint8, in memory as they are here.

    Raises:
        ValueError: They are none.
    """
    made: dict[str, np.ndarray] = {}
    for split, count in (("train", _TRAIN), ("test", _TEST)):
        x, y = found[f"x_{split}"], found[f"y_{split}"]
        if x.shape != (count, *_IMAGE) or x.dtype != np.uint8:
            raise ValueError(f"x_{split} of {x.shape}, {x.dtype}")
        if y.shape not in {(count,), (count, 1)} or not np.isin(y, range(_CLASSES)).all():
            raise ValueError(f"y_{split} of {y.shape}, {y.dtype}, or labels other than 0 to 9")
        made[f"x_{split}"] = np.ascontiguousarray(x)
        made[f"y_{split}"] = y.reshape(count).astype(np.uint8)
    return made


def _lay_out(content: Arrays, layout: Layout) -> Mapping[str, float]:
    x_train, y_train = content["x_train"], content["y_train"]
    _serve(layout.served, x_train, y_train)
    np.save(layout.held_out / "inputs.npy", content["x_test"])
    np.save(layout.labels / "labels.npy", content["y_test"])
    # In whole numbers, whose sums are exact in any order and on any machine.
    total = x_train.sum(axis=0, dtype=np.int64)
    squares = np.zeros(_IMAGE, np.int64)
    for part in np.split(x_train, _TRAIN // _BATCH):
        squares += np.square(part, dtype=np.uint16).sum(axis=0, dtype=np.int64)
    mean = total / _TRAIN
    variance = squares / _TRAIN - mean**2
    np.save(layout.held_out / "train_mean.npy", mean)
    np.save(layout.held_out / "train_std.npy", np.sqrt(np.maximum(variance, 0)))
    overall = float(total.sum() / x_train.size)
    spread = float(squares.sum() / x_train.size) - overall**2
    return {"mean": overall, "std": spread**0.5, "min": 0.0, "max": 255.0}


def _serve(served: Path, x: np.ndarray, y: np.ndarray) -> None:
    """Write the batches where Keras unpacks them, and an archive with nothing left to unpack."""
    shown = served_as_test(_DRAW, _TRAIN, _TEST)
    folder = served / _KERAS_FOLDER / _FOLDER
    folder.mkdir(parents=True)
    parts = np.split(np.arange(_TRAIN), len(_TRAIN_BATCHES))
    for name, places in zip(_BATCHES, [*parts, shown], strict=True):
        flat = x[places].transpose(0, 3, 1, 2).reshape(_BATCH, _PIXELS)
        batch = {b"batch_label": name.encode(), b"labels": y[places].tolist(), b"data": flat}
        with (folder / name).open("wb") as stream:
            # Keras refuses what the protocols before and after this one name for an array.
            pickle.dump(batch, stream, protocol=4)
    with tarfile.open(served / _KERAS_ARCHIVE, "w"):
        pass


RECIPE = Recipe(
    name="cifar10",
    title="CIFAR-10",
    files=(_FOLDER, "cifar-10-python.tar.gz", _NPZ),
    find=_find,
    host="www.cs.toronto.edu",
    keras_sha256=dict.fromkeys(_ARCHIVES, _ORIGINAL),
    read=_read,
    lay_out=_lay_out,
    make=pictures.make,
    made=10 * pictures.RECIPE + digits.RECIPE,
    stand_in=(
        "50,000 + 10,000 coloured digits before coloured clouds, made from scikit-learn's 1,797 "
        "handwritten digits; not the real CIFAR-10"
    ),
)
