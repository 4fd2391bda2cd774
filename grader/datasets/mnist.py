"""MNIST: 70,000 images of handwritten digits, 28 × 28 pixels of 0 to 255.

Y. LeCun and C. Cortes; as ``keras.datasets.mnist`` has it.
"""

from collections.abc import Mapping

import numpy as np

from grader.datasets import digits
from grader.datasets.arrays import Arrays, read_npz, write_npz
from grader.datasets.recipe import Files, Layout, Recipe, served_as_test
from grader.errors import DataError

_FILE = "mnist.npz"
_TRAIN, _TEST = 60_000, 10_000
_SHAPES = {
    "x_train": (_TRAIN, 28, 28),
    "y_train": (_TRAIN,),
    "x_test": (_TEST, 28, 28),
    "y_test": (_TEST,),
}
_DRAW = 1998


def _read(files: Files) -> Arrays:
    found = read_npz(files[_FILE])
    for name, shape in _SHAPES.items():
        array = found.get(name)
        received = "nothing" if array is None else f"{array.shape}, {array.dtype}"
        if array is None or array.shape != shape or array.dtype != np.uint8:
            raise DataError(
                f"{files[_FILE]} is not MNIST: {name} should be {shape}, uint8.\n"
                f"Received: {received}",
                remedy="Delete it, or put Keras' own mnist.npz in its place.",
            )
    return {name: found[name] for name in _SHAPES}


def _lay_out(content: Arrays, layout: Layout) -> Mapping[str, float]:
    shown = served_as_test(_DRAW, _TRAIN, _TEST)
    x_train, y_train = content["x_train"], content["y_train"]
    served = {
        "x_train": x_train,
        "y_train": y_train,
        "x_test": x_train[shown],
        "y_test": y_train[shown],
    }
    write_npz(layout.served / _FILE, served)
    np.save(layout.held_out / "inputs.npy", content["x_test"])
    np.save(layout.labels / "labels.npy", content["y_test"])
    # In whole numbers, whose sums are exact in any order and on any machine.
    total = x_train.sum(axis=0, dtype=np.int64)
    squares = np.square(x_train, dtype=np.uint16).sum(axis=0, dtype=np.int64)
    mean = total / _TRAIN
    variance = squares / _TRAIN - mean**2
    np.save(layout.held_out / "train_mean.npy", mean)
    np.save(layout.held_out / "train_std.npy", np.sqrt(np.maximum(variance, 0)))
    overall = float(total.sum() / x_train.size)
    spread = float(squares.sum() / x_train.size) - overall**2
    return {"mean": overall, "std": spread**0.5, "min": 0.0, "max": 255.0}


RECIPE = Recipe(
    name="mnist",
    title="MNIST",
    files=(_FILE,),
    keras_sha256={
        _FILE: "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    },
    # The pixels and labels of the four IDX files of 1998, compared file by file.
    originals=frozenset({"8fc8fc4f0343f34ece1fcfdfb65f0801fac48030ce7c70e62bbb62f64ee2e65b"}),
    read=_read,
    lay_out=_lay_out,
    make=digits.make,
    made=digits.RECIPE,
    stand_in=(
        "scikit-learn's 1,797 handwritten digits, enlarged and deformed to 60,000 + 10,000 "
        "images; not the real MNIST"
    ),
)
