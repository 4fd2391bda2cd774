"""Plain facts about arrays and about how a model was compiled."""

import functools
import math
import re
from typing import Any

import keras
import numpy as np

LARGE = 100_000_000
"""Elements beyond which values are read off evenly spaced rows."""
MOST_VARIABLES = 200
MATRIX = 2
FIRST_ROWS = 100


def array_facts(value: Any) -> dict[str, Any] | None:
    """Describe an array; ``None`` when the value is none.

    Args:
        value: Anything. NumPy arrays, tensors and Keras variables are arrays; a list of arrays
            is described by its first member, a ``tf.data.Dataset`` by its element's shape.

    Returns:
        ``shape``, ``dtype`` and, for numbers, ``minimum``, ``maximum``, ``mean``, ``deviation``,
        ``one_hot`` and ``sampled``.
    """
    if isinstance(value, list | tuple) and value and _is_array(value[0]):
        value = value[0]
    if not _is_array(value):
        return _dataset_facts(value)
    array = value if isinstance(value, np.ndarray) else np.asarray(value)
    found: dict[str, Any] = {"shape": list(array.shape), "dtype": str(array.dtype)}
    if array.dtype.kind not in "biuf" or not array.size:
        return found
    if array.size > LARGE and array.ndim > 1:
        array = array[:: array.size // LARGE + 1]
        found["sampled"] = True
    low, high = float(array.min()), float(array.max())
    found |= {
        "minimum": low,
        "maximum": high,
        "mean": (mean := _mean(array)),
        "deviation": _deviation(array, mean),
        "one_hot": _one_hot(array, low, high),
    }
    return found


def _mean(array: np.ndarray[Any, Any]) -> float:
    """Take the mean: in float32, where NumPy sums pairwise, if nothing overflows."""
    if array.dtype == np.float32 and array.flags.c_contiguous:
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(array.mean())
        if math.isfinite(mean):
            return mean
    return float(array.mean(dtype=np.float64))


def _deviation(array: np.ndarray[Any, Any], mean: float) -> float | None:
    """Take the standard deviation of fractions; of whole numbers nobody asks for it."""
    if array.dtype not in (np.float32, np.float64):
        return None
    if not array.flags.c_contiguous:
        return float(array.std(dtype=np.float64))
    flat = array.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        square = float(np.dot(flat, flat)) / flat.size - mean**2
    return math.sqrt(max(square, 0.0)) if math.isfinite(square) else None


def _is_array(value: Any) -> bool:
    return (
        isinstance(value, np.ndarray)
        or keras.ops.is_tensor(value)
        or isinstance(value, keras.Variable)
    )


def _one_hot(array: np.ndarray[Any, Any], low: float, high: float) -> bool | None:
    if array.ndim != MATRIX or array.shape[1] == 1:
        return None
    if (low, high) != (0.0, 1.0):
        return False
    # The first rows tell most arrays that are none; the others cost a look at every value.
    return all(
        bool((rows.sum(axis=1) == 1).all() and ((rows == 0) | (rows == 1)).all())
        for rows in (array[:FIRST_ROWS], array[FIRST_ROWS:])
    )


def _dataset_facts(value: Any) -> dict[str, Any] | None:
    element = getattr(value, "element_spec", None)
    while isinstance(element, tuple | list) and element:
        element = element[0]
    shape, dtype = getattr(element, "shape", None), getattr(element, "dtype", None)
    if shape is None or shape.rank is None or dtype is None:
        return None
    return {"shape": list(shape.as_list()), "dtype": dtype.name}


def variable_facts(names: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Describe the arrays among a namespace's public names."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in list(names.items()):
        if name.startswith("_") or not _is_array(value):
            continue
        if len(found) == MOST_VARIABLES:
            break
        try:
            facts = array_facts(value)
        except Exception:  # noqa: BLE001, S112 - an array class of the student's own
            continue
        if facts is not None:
            found[name] = facts
    return found


def compile_facts(model: Any) -> dict[str, Any] | None:
    """Describe a compiled model's loss, optimizer and metrics by canonical names.

    ``"mse"``, ``MeanSquaredError()`` and the function ``mean_squared_error`` give the same name.
    """
    if not getattr(model, "compiled", False):
        return None
    given = getattr(model, "_compile_config", None)
    arguments = dict(getattr(given, "config", None) or {})
    loss, from_logits = _loss(getattr(model, "loss", None))
    optimizer = model.optimizer
    rate, schedule = _rate(optimizer)
    metrics = arguments.get("metrics") or []
    if isinstance(metrics, dict):
        metrics = list(metrics.values())
    return {
        "loss": loss,
        "from_logits": from_logits,
        "optimizer": type(optimizer).__name__,
        "learning_rate": rate,
        "schedule": schedule,
        "metrics": [_metric(metric) for metric in metrics],
    }


def _loss(loss: Any) -> tuple[str, bool | None]:
    if loss is None:
        return "", None
    if isinstance(loss, list | tuple | dict):
        members = list(loss.values()) if isinstance(loss, dict) else list(loss)
        if len(members) != 1:
            return "several", None
        loss = members[0]
    keywords: dict[str, Any] = {}
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    if isinstance(loss, functools.partial):
        loss, keywords = loss.func, dict(loss.keywords)
    if isinstance(loss, keras.losses.Loss):
        keywords = _config(loss)
        name = snake_case(type(loss).__name__)
    else:
        name = getattr(loss, "__name__", type(loss).__name__)
    crossentropy = name.endswith("crossentropy")
    return name, bool(keywords.get("from_logits", False)) if crossentropy else None


def _rate(optimizer: Any) -> tuple[float | None, str]:
    rate = _config(optimizer).get("learning_rate")
    if isinstance(rate, dict):
        return None, str(rate.get("class_name", "schedule"))
    try:
        # The variable holds float32: 0.001 comes back as 0.0010000000474974513.
        return (None if rate is None else float(np.format_float_positional(np.float32(rate)))), ""
    except (TypeError, ValueError):
        return None, ""


def _metric(metric: Any) -> str:
    if isinstance(metric, list | tuple) and len(metric) == 1:
        metric = metric[0]
    if isinstance(metric, str):
        return {"acc": "accuracy"}.get(metric, snake_case(metric))
    if isinstance(metric, keras.metrics.Metric):
        return snake_case(type(metric).__name__)
    return str(getattr(metric, "__name__", type(metric).__name__))


def _config(thing: Any) -> dict[str, Any]:
    try:
        return dict(thing.get_config())
    except Exception:  # noqa: BLE001 - a student's own class may do anything here
        return {}


def snake_case(name: str) -> str:
    """``CategoricalCrossentropy`` → ``categorical_crossentropy``, ``MeanSquaredError`` likewise."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
