"""Records → JSON: NaN and infinities are the strings ``"nan"``, ``"inf"``, ``"-inf"``.

JSON has no such numbers; pydantic reads these strings as the numbers they stand for.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import pydantic_core


def plain(value: Any) -> Any:
    """Turn a record, or what is in it, into JSON data."""
    if type(value) in _AS_THEY_ARE or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if names := _fields(type(value)):
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, Sequence) else str(value)


_AS_THEY_ARE = frozenset({str, int, bool, type(None)})
_NAMES: dict[type, tuple[str, ...]] = {}


def _fields(kind: type) -> tuple[str, ...]:
    """The names of a record's fields; none for what is no record."""
    if kind not in _NAMES:
        found = fields(kind) if is_dataclass(kind) else ()
        _NAMES[kind] = tuple(field.name for field in found)
    return _NAMES[kind]


def plain_json(value: Any, *, indent: int | None = None) -> bytes:
    """Give a record as JSON text in UTF-8."""
    data = plain(value)
    try:
        return pydantic_core.to_json(data, indent=indent)
    except ValueError:  # half a surrogate pair: only ASCII can hold it
        return json.dumps(data, allow_nan=False, indent=indent).encode("ascii")
