"""Whether two answers in words mean the same: ``"mse"`` and ``keras.losses.MeanSquaredError()``."""

import re
from collections.abc import Iterable, Mapping

SAME: Mapping[str, tuple[str, ...]] = {
    "linear": ("none", "no", "", "identity", "no activation", "null"),
    "sigmoid": ("logistic", "logistic function"),
    "relu": ("rectifier", "rectified linear", "rectified linear unit"),
    "tanh": ("hyperbolic tangent",),
    "softmax": (),
    "mean_squared_error": ("mse", "squared error", "quadratic", "quadratic error"),
    "mean_absolute_error": ("mae", "absolute error"),
    "binary_crossentropy": ("bce", "log loss", "binomial crossentropy"),
    "categorical_crossentropy": ("cce",),
    "sparse_categorical_crossentropy": ("scce", "sparse crossentropy"),
    "one-hot": ("one-hot vector", "one-hot vectors", "one-hot encoded", "one-hot labels"),
    "integer": ("integers", "int", "ints", "integer labels", "class index", "class indices"),
    "sgd": ("stochastic gradient descent", "gradient descent"),
}
"""Names of activations, losses, label forms, optimizers, and what else they are called."""


def canonical(text: str) -> str:
    """Bring an answer to the form in which it is compared.

    ``"keras.losses.CategoricalCrossentropy()"``, ``"Categorical cross-entropy"`` and ``"cce"`` give
    the same.
    """
    bare = _bare(text)
    return _CANONICAL.get(bare, bare)


def means(text: str, wanted: str, also: Iterable[str] = ()) -> bool:
    """Whether an answer means what is wanted, or one of the others."""
    return canonical(text) in {canonical(each) for each in (wanted, *also)}


def _bare(text: str) -> str:
    # the last part of a dotted name; a full stop at the end of a sentence is none
    text = re.sub(r"^(\w+\.)+(?=\w)", "", text.strip())
    return re.sub(r"[^a-z0-9=/+*^.%]", "", text.lower()).strip(".")


_CANONICAL = {_bare(other): _bare(name) for name, others in SAME.items() for other in others}
