"""Names that Keras does not know → the one that was probably meant."""

import difflib
import re
from collections.abc import Mapping

from grader.records import ErrorFacts

KNOWN: Mapping[str, tuple[str, ...]] = {
    "activation function": (
        "elu", "exponential", "gelu", "hard_sigmoid", "leaky_relu", "linear", "log_softmax", "mish",
        "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "swish",
        "tanh",
    ),
    "loss": (
        "binary_crossentropy", "categorical_crossentropy", "categorical_hinge",
        "cosine_similarity", "hinge", "huber", "kl_divergence", "log_cosh", "mae", "mape",
        "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
        "mean_squared_logarithmic_error", "mse", "msle", "poisson",
        "sparse_categorical_crossentropy", "squared_hinge",
    ),
    "optimizer": (
        "adadelta", "adafactor", "adagrad", "adam", "adamax", "adamw", "ftrl", "lion", "muon",
        "nadam", "rmsprop", "sgd",
    ),
}  # fmt: skip
"""What Keras knows by a word, of each sort."""
LIKENESS = 0.75
LONGEST = 60
_UNKNOWN = re.compile(
    rf"Could not interpret (?P<sort>{'|'.join(KNOWN)}) identifier: (?P<name>[\w ]+)"
)


def mistyped(error: ErrorFacts) -> str:
    """Say which name is near the one that was given; empty where there is none."""
    found = _UNKNOWN.search(error.message) if error.kind == "ValueError" else None
    if found is None or len(found["name"]) > LONGEST:
        return ""
    given = found["name"].strip()
    near = difflib.get_close_matches(given.lower(), KNOWN[found["sort"]], n=1, cutoff=LIKENESS)
    return f"No {found['sort']} is called `{given}`; `{near[0]}` is one." if near else ""
