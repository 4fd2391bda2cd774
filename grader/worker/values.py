"""Describes a value of the student's as plain data, whatever it is and however large."""

import math
import types
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from .facts import snake_case

MOST_ELEMENTS = 10_000
"""Numbers given of one array."""
MOST_IN_ALL = 100_000
"""Numbers given of one answer, over all its steps."""
MOST_ITEMS = 2_000
"""Members of lists and dictionaries looked at."""
MOST_KEYS = 200
DEEPEST = 8
LONGEST = 4_000
"""Characters of a text."""
LONGEST_IN_ALL = 100_000
LARGEST_LOOK = 20_000_000
"""Numbers of an array beyond which none is looked at."""
MOST_LAYERS = 200
LARGEST = 2**63
_NUMERIC = "biuf"
_SIMPLE = (bool, int, float)


class Describer:
    """Describes the values of one answer; what is too much for it is left out and marked."""

    def __init__(self) -> None:
        self._numbers = MOST_IN_ALL
        self._items = MOST_ITEMS
        self._characters = LONGEST_IN_ALL

    def describe(self, value: Any) -> dict[str, Any]:
        """Give what :class:`grader.records.GivenValue` takes.

        Args:
            value: Anything. Lists are described like arrays when they are regular and hold numbers.
        """
        try:
            return self._describe(value, 0)
        except Exception as error:  # noqa: BLE001 - an object of the student's may do anything
            problem = f"{type(error).__name__} while it was looked at"
            return {"kind": "other", "type": type(value).__name__[:200], "text": problem}

    def _describe(self, value: Any, depth: int) -> dict[str, Any]:
        self._items -= 1
        about = {"type": _cut(type(value).__name__, 200)}
        describers: tuple[tuple[Any, Callable[[Any, int], dict[str, Any]]], ...] = (
            (type(None), self._none),
            (str, self._text),
            (bool | np.bool_, self._truth),
            (int | float | np.number, self._number),
            (np.ndarray, self._ndarray),
            (list | tuple, self._sequence),
            (dict, self._dictionary),
        )
        for kinds, describe in describers:
            if isinstance(value, kinds):
                return about | describe(value, depth)
        return about | self._other(value)

    def _none(self, *_: Any) -> dict[str, Any]:
        return {"kind": "none"}

    def _text(self, value: str, _: int) -> dict[str, Any]:
        text = _cut(value, min(LONGEST, self._characters))
        self._characters -= len(text)
        return {"kind": "text", "text": text, "cut": len(text) < str.__len__(value)}

    # -------------------------------------------------------------- numbers

    def _truth(self, value: Any, _: int) -> dict[str, Any]:
        return self._array(np.asarray(value), "boolean")

    def _ndarray(self, value: Any, _: int) -> dict[str, Any]:
        return self._array(np.asarray(value), "array")

    def _number(self, value: Any, _: int) -> dict[str, Any]:
        if isinstance(value, np.complexfloating):
            return {"kind": "other"}
        if isinstance(value, int) and not -LARGEST <= value < LARGEST:
            value = float(value) if abs(value) < 10**300 else math.inf
        return self._array(np.asarray(value), "number")

    def _array(self, array: Any, kind: str) -> dict[str, Any]:
        if array.dtype.kind not in _NUMERIC:
            shape, dtype = list(array.shape), _cut(str(array.dtype), 200)
            return {"kind": kind, "shape": shape, "dtype": dtype, "cut": True}
        found = _array(array) | {"kind": kind}
        if array.size > min(MOST_ELEMENTS, self._numbers):
            return found | {"cut": True}
        self._numbers -= array.size
        flat = array.ravel()
        return found | {"numbers": (flat.astype("int8") if array.dtype == bool else flat).tolist()}

    # -------------------------------------------------------------- collections

    def _sequence(self, value: Any, depth: int) -> dict[str, Any]:
        kind = "tuple" if isinstance(value, tuple) else "list"
        if all(type(item) in _SIMPLE for item in value[:MOST_ELEMENTS]):
            if len(value) > MOST_ELEMENTS:
                return {"kind": kind, "shape": [len(value)], "dtype": "", "cut": True}
            simple = _as_array(value)
            if simple is not None:
                return self._array(simple, kind)
        found = {"kind": kind}
        if depth >= DEEPEST:
            return found | {"cut": True}
        items: list[dict[str, Any]] = []
        for item in value:
            if self._items <= 0:
                return found | {"items": items, "cut": True}
            items.append(self._describe(item, depth + 1))
        return found | (_stacked(items) or {"items": items})

    def _dictionary(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        if depth >= DEEPEST:
            return {"kind": "dict", "cut": True}
        keys: list[str] = []
        items: list[dict[str, Any]] = []
        for key, item in list(value.items()):
            if self._items <= 0 or len(keys) == MOST_KEYS:
                break
            keys.append(_cut(str(key), 200))
            items.append(self._describe(item, depth + 1))
        return {"kind": "dict", "keys": keys, "items": items, "cut": len(keys) < len(value)}

    # -------------------------------------------------------------- objects

    def _other(self, value: Any) -> dict[str, Any]:
        if isinstance(value, keras.Model):
            layers = [type(layer).__name__ for layer in value.layers]
            params = int(value.count_params()) if value.built else None
            return {
                "kind": "model",
                "layers": layers[:MOST_LAYERS],
                "params": params,
                "cut": len(layers) > MOST_LAYERS,
            }
        if isinstance(value, keras.KerasTensor):  # it stands for an array that is not there
            return {"kind": "other"}
        if isinstance(value, keras.Variable) or keras.ops.is_tensor(value):
            return self._array(np.asarray(value), "tensor")
        if type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "to_numpy"):
            return self._array(np.asarray(value.to_numpy()), "array")
        name = _name(value)
        return {"kind": "name", "text": name} if name else {"kind": "other"}


def _array(array: Any) -> dict[str, Any]:
    """The shape and type of an array, and what can be said of its numbers in few."""
    found: dict[str, Any] = {"shape": list(array.shape), "dtype": str(array.dtype)}
    if 0 < array.size <= LARGEST_LOOK:
        wide = array.astype("float64")
        with np.errstate(all="ignore"):
            found |= {
                "minimum": float(wide.min()),
                "maximum": float(wide.max()),
                "mean": float(wide.mean()),
                "std": float(wide.std()),
            }
    return found


def _as_array(value: Any) -> Any:
    """Make an array of numbers; ``None`` when they are none that NumPy has a type for."""
    try:
        array = np.array(value)
    except (ValueError, OverflowError):
        return None
    return array if array.dtype.kind in _NUMERIC else None


def _stacked(items: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Describe a list of equally shaped arrays of numbers as one array."""
    shapes = {tuple(item["shape"]) if item.get("shape") is not None else None for item in items}
    if len(shapes) != 1 or None in shapes or any(item.get("numbers") is None for item in items):
        return None
    (shape,) = shapes
    numbers = [number for item in items for number in item["numbers"]]
    stacked = _as_array(numbers)
    if stacked is None or len(numbers) > MOST_ELEMENTS:
        return None
    return _array(stacked) | {"shape": [len(items), *(shape or ())], "numbers": numbers}


def _name(value: Any) -> str:
    """The canonical name of a function, a class, or an object of Keras'; empty for anything else.

    ``keras.losses.BinaryCrossentropy(from_logits=True)`` →
    ``"binary_crossentropy(from_logits=True)"``.
    """
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType | np.ufunc):
        return _cut(value.__name__, 200)
    if isinstance(value, type):
        return snake_case(_cut(value.__name__, 200))
    if not type(value).__module__.startswith("keras."):
        return ""
    config = value.get_config() if hasattr(value, "get_config") else {}
    logits = config.get("from_logits")
    return snake_case(type(value).__name__) + ("(from_logits=True)" if logits else "")


def _cut(text: str, most: int = LONGEST) -> str:
    """A text of bounded length that every JSON reader takes."""
    return str.__str__(text)[:most].encode("utf-8", "replace").decode("utf-8")
