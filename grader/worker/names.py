"""Numbers, texts and small collections among the names a student's code leaves behind."""

import contextlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

MOST = 500
LONGEST_TEXT = 2000
LONGEST_LIST = 200
LONGEST_KEY = 200
LARGEST_INTEGER = 10**18
NO_NUMBER = "__float__"
"""The one key of what stands for NaN or an infinity, which JSON has not."""
_UNKNOWN = object()


def plain_values(names: Mapping[str, Any], hidden: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values that JSON can hold, by name.

    Args:
        names: A namespace; names that begin with an underscore are nobody's business.
        hidden: What the shell itself put there.

    Returns:
        Numbers, texts, truth values, ``None``, and lists, tuples and dictionaries of those, or of
        lists of those; what is larger or of another kind is left out.
    """
    found: dict[str, Any] = {}
    for name, value in list(names.items()):
        if name.startswith("_") or (name in hidden and hidden[name] is value):
            continue
        with contextlib.suppress(Exception):  # a student's own class may do anything here
            known = _plain(value, depth=2)
            if known is not _UNKNOWN:
                found[name] = known
        if len(found) == MOST:
            break
    return found


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, np.generic) or (type(value) is np.ndarray and value.ndim == 0):
        value = value.item()
    kind = type(value)
    if value is None or kind in (bool, float):
        no_number = kind is float and not math.isfinite(value)
        # Without the braces it would look like a text that says so.
        return {NO_NUMBER: str(value)} if no_number else value
    if kind is int:
        return value if abs(value) <= LARGEST_INTEGER else _UNKNOWN
    if kind is str:
        return value if len(value) <= LONGEST_TEXT else _UNKNOWN
    if not depth or kind not in (list, tuple, dict) or len(value) > LONGEST_LIST:
        return _UNKNOWN
    if kind is dict:
        items = {_key(key): _plain(item, depth - 1) for key, item in value.items()}
        return items if _UNKNOWN not in items and _all_known(items.values()) else _UNKNOWN
    members = [_plain(item, depth - 1) for item in value]
    return members if _all_known(members) else _UNKNOWN


def _key(key: Any) -> Any:
    known = _plain(key, depth=0)
    return _UNKNOWN if known is _UNKNOWN or len(str(known)) > LONGEST_KEY else str(known)


def _all_known(values: Any) -> bool:
    return not any(value is _UNKNOWN for value in values)
