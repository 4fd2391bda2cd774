"""An assignment's own data: an ``.npz`` file of the author's, with a part that nobody is served.

The file has ``x_test`` and ``y_test``, which are held out, and perhaps ``x_train`` and
``y_train``, which students are served under the same name; what they find there as ``x_test``
is drawn from the training rows, as with every other data set. A file made so, the students' own
copy, is taken apart into the same copy again.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from grader.datasets import sources
from grader.datasets.arrays import Arrays, sha256_of, write_npz
from grader.datasets.cache import FORMAT, Cache
from grader.datasets.finding import dataset_of
from grader.datasets.recipe import Layout, Recipe, served_as_test
from grader.datasets.records import Dataset
from grader.errors import DataError
from grader.safe.unzip import UNZIP_ERRORS

HELD_OUT, SERVED = ("x_test", "y_test"), ("x_train", "y_train")
_FILE_NAME = "file_name"
_DRAW = 2017
_VERSION = 1
"""Raised whenever a file is taken apart in another way."""
_NUMBERS = "biuf"
_COLUMN = 2


def load_own(name: str, folder: Path, *, data_dir: Path | None = None) -> Dataset:
    """Read an assignment's own file, and take it apart into the cache.

    Args:
        name: The file's name, e.g. ``"fashion.npz"``.
        folder: The assignment's.
        data_dir: A folder to look in first; ``GRADER_DATA`` by default.

    Returns:
        The data set; its name is the file's without the ending.

    Raises:
        DataError: The file is not there, or not what it ought to be, or the cache cannot be
            written.
    """
    named = sources.named_folder(data_dir)
    places = [*([named / name] if named else []), folder / name]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        raise DataError(
            f"There is no {name} in {' nor in '.join(str(place.parent) for place in places)}.",
            remedy="Put it beside assignment.toml, or name its folder: --data DIR",
        )
    cache = Cache.of_user()
    try:
        print_ = sha256_of(file)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.") from None
    key = hashlib.sha256(f"own {_VERSION} {FORMAT}\n{name} {print_}".encode()).hexdigest()
    entry = cache.find(key) or cache.store(key, _recipe(name), _read(file, name))
    return dataset_of(entry, "own", _describe(file, print_, entry.facts), verified=False)


def _recipe(name: str) -> Recipe:
    def never() -> Arrays:
        raise DataError(f"There is no stand-in for {name}.")

    return Recipe(
        name=Path(name).stem,
        title=name,
        files=(name,),
        keras_sha256={},
        read=lambda files: _read(files[name], name),
        lay_out=_lay_out,
        make=never,
        made=0,
        stand_in="none",
    )


def _describe(file: Path, print_: str, facts: Mapping[str, float]) -> str:
    about = f"{file.name}, the assignment's own data (sha256 {print_[:12]}…)"
    train, test = int(facts["train"]), int(facts["test"])
    if facts["students_copy"]:
        held_out = (
            f"{test:,} of its {train:,} training samples stand for the held-out ones, "
            "which only the instructor has"
            if test
            else "the held-out samples are only the instructor's"
        )
        return f"{about}, the students' copy: {held_out}"
    return f"{about}: {train:,} training samples, {test:,} held out"


# ------------------------------------------------------------------ reading


def _read(file: Path, name: str) -> Arrays:
    """Read and check the arrays; the file's name counts as content, for it is served under it."""
    found = _arrays(file)
    given = ", ".join(sorted(found)) or "nothing"
    unknown = sorted(set(found) - {*HELD_OUT, *SERVED})
    if unknown:
        raise DataError(
            f"{file}: holds {', '.join(unknown)}, which the grader does not know. "
            "What is in it is either held out (x_test, y_test) or served (x_train, y_train).",
            remedy="Leave it out, or give it to students in a file of its own.",
        )
    wanted = (*HELD_OUT, *(SERVED if set(SERVED) & set(found) else ()))
    missing = [each for each in wanted if each not in found]
    if missing:
        raise DataError(
            f"{file}: {', '.join(missing)} is missing.\nReceived: {given}",
            remedy="Write it with: np.savez_compressed(file, x_train=…, y_train=…, x_test=…, "
            "y_test=…)",
        )
    for split in ("test", "train")[: len(wanted) // 2]:
        _check_split(file, split, found[f"x_{split}"], found[f"y_{split}"])
    if "x_train" in found:
        _check_alike(file, found)
    elif len(found["x_test"]):
        _check_values(file, "x_test", found["x_test"])
    return {**found, _FILE_NAME: np.frombuffer(name.encode(), np.uint8)}


def _arrays(file: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    name = ""
    try:
        with file.open("rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise DataError(
                    f"{file}: holds one array without a name, not an archive of arrays.",
                    remedy="Write it with np.savez_compressed, not with np.save.",
                )
            with archive:
                for name in archive.files:
                    found[name] = np.asarray(archive[name])
    except (ValueError, EOFError, *UNZIP_ERRORS) as error:
        if name and "allow_pickle" in str(error):
            raise DataError(
                f"{file}: {name} is an array of objects, which could only be read by running it.",
                remedy="Make it an array of numbers; sequences of unequal length must be padded.",
            ) from None
        raise DataError(
            f"{file}: cannot be read as an .npz file of arrays"
            f"{f', at {name}' if name else ''}: {error}.",
            remedy="Write it with: np.savez_compressed(file, x_train=…, …)",
        ) from None
    return found


def _check_split(file: Path, split: str, x: np.ndarray, y: np.ndarray) -> None:
    for name, array in ((f"x_{split}", x), (f"y_{split}", y)):
        if array.dtype.kind not in _NUMBERS:
            raise DataError(
                f"{file}: {name} should hold numbers.\nReceived: {array.dtype}",
                remedy="Labels that are words become whole numbers from 0.",
            )
        if not array.ndim:
            raise DataError(f"{file}: {name} should hold one row a sample.\nReceived: one number")
    if len(x) != len(y):
        raise DataError(
            f"{file}: x_{split} and y_{split} should have as many rows as each other.\n"
            f"Received: {len(x):,} and {len(y):,}"
        )


def _check_alike(file: Path, found: Arrays) -> None:
    """Training and held-out rows must be of one kind."""
    for letter in "xy":
        train, test = found[f"{letter}_train"], found[f"{letter}_test"]
        for split, array in (("train", train), ("test", test)):
            if not len(array):
                raise DataError(f"{file}: {letter}_{split} has no rows.")
        if train.shape[1:] != test.shape[1:]:
            raise DataError(
                f"{file}: the rows of {letter}_train and {letter}_test should have one shape.\n"
                f"Received: {train.shape[1:]} and {test.shape[1:]}"
            )
    _check_values(file, "x_train", found["x_train"])
    if not np.isfinite(found["x_test"]).all():
        raise DataError(f"{file}: x_test holds values that are no numbers (NaN or infinite).")


def _check_values(file: Path, name: str, x: np.ndarray) -> None:
    low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
    if not np.isfinite(low + high):
        raise DataError(f"{file}: {name} holds values that are no numbers (NaN or infinite).")
    if low == high:
        raise DataError(f"{file}: {name} holds one and the same value everywhere: {low:g}.")


# ------------------------------------------------------------------ taking apart


def _lay_out(content: Arrays, layout: Layout) -> Mapping[str, float]:
    x_test, y_test = content["x_test"], content["y_test"]
    copied = not len(x_test)
    if "x_train" in content:
        shown = served_as_test(_DRAW, len(content["x_train"]), len(x_test))
        served = {name: content[name] for name in SERVED}
        served |= {
            held_out: content[name][shown] for held_out, name in zip(HELD_OUT, SERVED, strict=True)
        }
        write_npz(layout.served / content[_FILE_NAME].tobytes().decode(), served)
        copied = all(np.array_equal(served[name], content[name]) for name in HELD_OUT)
    np.save(layout.held_out / "inputs.npy", x_test)
    column = y_test.ndim == _COLUMN and y_test.shape[1] == 1
    np.save(layout.labels / "labels.npy", y_test[:, 0] if column else y_test)
    x = content.get("x_train", x_test)
    np.save(layout.held_out / "train_mean.npy", _mean(x))
    np.save(layout.held_out / "train_std.npy", _deviation(x))
    return {
        **_facts(x),
        "train": float(len(content["x_train"]) if "x_train" in content else 0),
        "test": float(len(x_test)),
        "students_copy": float(copied),
    }


def _mean(x: np.ndarray) -> np.ndarray:
    return np.asarray(x.mean(axis=0, dtype=np.float64)) if len(x) else np.zeros(x.shape[1:])


def _deviation(x: np.ndarray) -> np.ndarray:
    return np.asarray(x.std(axis=0, dtype=np.float64)) if len(x) else np.ones(x.shape[1:])


def _facts(x: np.ndarray) -> dict[str, float]:
    if not len(x):  # nothing will be asked: any scale is as good as another
        return {"mean": 0.0, "std": 1.0, "min": 0.0, "max": 1.0}
    return {
        "mean": float(x.mean(dtype=np.float64)),
        "std": float(x.std(dtype=np.float64)),
        "min": float(x.min()),
        "max": float(x.max()),
    }
