"""How a worker speaks, in lines of JSON on file descriptor 3, and how it is handed something, on 4.

Not a secret and not a proof: student code in the same process can write here too, so the host
believes nothing that could earn points.
"""

import json
import math
import os
import types
from typing import Any

FD = 3
IN = 4
LARGEST_INTEGER = 2**64
"""More than NumPy's integers hold; Python writes no number of thousands of digits."""


def plain(value: Any) -> Any:
    """Turn a value into JSON data; NaN and infinities become the strings ``"nan"``, ``"inf"``."""
    if isinstance(value, dict):
        return {_text(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return _text(value) if isinstance(value, str) else _number(value)


def _number(value: Any) -> Any:
    if isinstance(value, int) and abs(value) <= LARGEST_INTEGER:
        return value
    try:
        number = float(value)
    except OverflowError:
        return "inf" if value > 0 else "-inf"
    except (TypeError, ValueError):
        return _text(str(value))
    return number if math.isfinite(number) else str(number)


def _text(text: str) -> str:
    """A text that every JSON reader takes: none takes half of a surrogate pair."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


_events = types.SimpleNamespace(are_over=False)


def send(event: str, **values: Any) -> None:
    """Send one event to the host, unless they are over."""
    if _events.are_over:
        return
    line = json.dumps({"event": event, **plain(values)}, allow_nan=False)
    write(line.encode("ascii") + b"\n")


def end_events() -> None:
    """Send no event from now on: what is written is an answer, in which none may stand."""
    _events.are_over = True


def write(data: bytes | memoryview) -> None:
    """Send raw bytes; returns when all are in the pipe."""
    view = memoryview(data)
    while view:
        view = view[os.write(FD, view) :]


def handed_in() -> bytes:
    """Wait for what the host hands in; nothing where it has nothing to give."""
    with open(IN, "rb", closefd=False) as stream:
        return stream.read()
