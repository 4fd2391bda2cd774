"""Presents held-out inputs to a model in the forms that fit it, and tells its answers.

For the judge, which opens a saved model; and for a model with code of the student's own, in the
process that has made it.
"""

import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from .channel import plain, write

BATCH = 512
"""Rows asked at a time of a model that takes any number of them."""


def answer(model: Any, takes: Any, inputs: Path, forms: list[dict[str, Any]], **said: Any) -> None:
    """Have a model answer, and tell it to the host.

    One JSON line with, for each form, the ``width`` of its answers; then the answers of every form
    that worked as raw little-endian float32 rows, in the same order.

    Args:
        model: It is asked by ``predict_on_batch``.
        takes: The shape of its inputs, batch first.
        inputs: The folder with the held-out inputs.
        forms: How to present them, see :mod:`grader.judging.forms`.
        said: What else stands in the JSON line.
    """
    answers: list[np.ndarray[Any, Any]] = []
    worked: list[dict[str, Any]] = []
    for form in _fitting(takes, forms):
        try:
            rows = _answer(model, takes[0] or BATCH, inputs, form)
        except Exception as error:  # noqa: BLE001 - a form that does not fit this model
            sys.stderr.write(f"{form['name']}: {type(error).__name__}: {error}\n")
            continue
        answers.append(rows)
        worked.append({"name": form["name"], "rows": rows.shape[0], "width": rows.shape[1]})
    tell({**said, "forms": worked})
    for rows in answers:
        write(rows.tobytes())


def tell(values: dict[str, Any]) -> None:
    """Say the JSON line."""
    write(json.dumps(plain(values), allow_nan=False).encode() + b"\n")


def _fitting(wanted: Any, forms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The forms whose shape the model takes; an unknown axis takes any length."""
    if not isinstance(wanted, tuple) or (wanted and isinstance(wanted[0], tuple | list)):
        return []
    fitting = []
    for form in forms:
        shape = form["shape"]
        if len(shape) == len(wanted) - 1 and all(
            have is None or want is None or have == want
            for have, want in zip(shape, wanted[1:], strict=True)
        ):
            fitting.append(
                {
                    **form,
                    "shape": list(wanted[1:]) if form["layout"] == "padded" else shape,
                }
            )
    return fitting


def _answer(model: Any, size: int, inputs: Path, form: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Answer every input, in batches of one size: no answer depends on how many there are."""
    parts = []
    order = _order(model, inputs, form)
    for batch, count in _batches(inputs, form, size, order):
        answer = np.asarray(model.predict_on_batch(batch), dtype="<f4")
        parts.append(answer.reshape(len(batch), -1)[:count])
    mixed = np.concatenate(parts)
    answers = np.empty_like(mixed, dtype="<f4")
    answers[order] = mixed
    return answers


def _order(model: Any, inputs: Path, form: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Mix the inputs: where they lie sorted by class, a model could count instead of look.

    Always in the same way, which only those know who have them. What carries a state from one
    sample to the next is asked in their own order.
    """
    name = "inputs.npy" if form["layout"] == "dense" else "ranks.npy"
    count = len(np.load(inputs / name.replace("ranks", "lengths"), mmap_mode="r"))
    if keeps_state(model):
        return np.arange(count)
    return np.random.default_rng(zlib.crc32((inputs / name).read_bytes())).permutation(count)


def keeps_state(model: Any) -> bool:
    """Whether a model carries something from one sample to the next."""
    return any(getattr(layer, "stateful", False) for layer in model._flatten_layers())


def _batches(
    inputs: Path, form: dict[str, Any], size: int, order: np.ndarray[Any, Any]
) -> Iterator[tuple[np.ndarray[Any, Any], int]]:
    source = _dense_rows if form["layout"] == "dense" else _sequence_rows
    for rows in source(inputs, form, size, order):
        count = len(rows)
        if count < size:
            rows = np.concatenate([rows, np.repeat(rows[-1:], size - count, axis=0)])  # noqa: PLW2901
        yield rows, count


def _dense_rows(
    inputs: Path, form: dict[str, Any], size: int, order: np.ndarray[Any, Any]
) -> Iterator[np.ndarray[Any, Any]]:
    every = np.load(inputs / "inputs.npy", mmap_mode="r", allow_pickle=False)
    shift, scale = _map(inputs, form, every.shape[1:])
    for start in range(0, len(every), size):
        rows = every[order[start : start + size]].astype("float32") * scale + shift
        yield rows.astype("float32").reshape(len(rows), *form["shape"])


def _map(inputs: Path, form: dict[str, Any], shape: tuple[int, ...]) -> tuple[Any, Any]:
    if form.get("by_feature") or form.get("by_channel"):
        mean = np.load(inputs / "train_mean.npy", allow_pickle=False).reshape(shape)
        std = np.load(inputs / "train_std.npy", allow_pickle=False).reshape(shape)
        if form.get("by_channel"):
            pixels = tuple(range(len(shape) - 1))
            squares = (std**2 + mean**2).mean(axis=pixels)
            mean = mean.mean(axis=pixels)
            std = np.sqrt(squares - mean**2)
        scale = 1.0 / np.where(std == 0, 1.0, std)
        return (-mean * scale).astype("float64"), scale.astype("float64")
    return float(form["shift"]), float(form["scale"])


def _sequence_rows(
    inputs: Path, form: dict[str, Any], size: int, order: np.ndarray[Any, Any]
) -> Iterator[np.ndarray[Any, Any]]:
    ranks = np.load(inputs / "ranks.npy", mmap_mode="r", allow_pickle=False)
    lengths = np.load(inputs / "lengths.npy", allow_pickle=False)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    make = _multi_hot if form["layout"] == "multi_hot" else _padded
    for start in range(0, len(lengths), size):
        yield make([ranks[ends[i] : ends[i + 1]] for i in order[start : start + size]], form)


def _multi_hot(sequences: list[np.ndarray[Any, Any]], form: dict[str, Any]) -> np.ndarray[Any, Any]:
    rows = np.zeros((len(sequences), form["shape"][0]), dtype="float32")
    for row, sequence in zip(rows, sequences, strict=True):
        row[sequence[sequence < len(row)]] = 1.0
    return rows


def _padded(sequences: list[np.ndarray[Any, Any]], form: dict[str, Any]) -> np.ndarray[Any, Any]:
    length = form["shape"][0] or 256
    rows: np.ndarray[Any, Any] = keras.utils.pad_sequences(
        sequences, maxlen=length, padding=form["padding"], truncating=form["padding"]
    )
    return rows
