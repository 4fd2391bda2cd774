"""The worker's one way to speak: lines of JSON on file descriptor 3.

Not a secret and not a proof: student code in the same process can write here too, so the host
believes nothing that could earn points.
"""

import json
import math
import os
from typing import Any

FD = 3


def plain(value: Any) -> Any:
    """Turn a value into JSON data; NaN and infinities become the strings ``"nan"``, ``"inf"``."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return number if math.isfinite(number) else str(number)


def send(event: str, **values: Any) -> None:
    """Send one event to the host."""
    line = json.dumps({"event": event, **plain(values)}, allow_nan=False)
    write(line.encode("utf-8", "backslashreplace") + b"\n")


def write(data: bytes | memoryview) -> None:
    """Send raw bytes; returns when all are in the pipe."""
    view = memoryview(data)
    while view:
        view = view[os.write(FD, view) :]
