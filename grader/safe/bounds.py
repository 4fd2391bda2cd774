"""How much a record of a stranger's may hold, whatever its fields are.

Types are pydantic's business. This is about what types do not say: a text of a field may not be
megabytes long, nor a number have thousands of digits, which no ``float`` and no NumPy array takes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

LONGEST_TEXT = 20_000
"""Characters of one text: an honest worker cuts a traceback, its longest, at 8,000."""
LONGEST_KEY = 1000
LARGEST_INTEGER = 2**64
"""What NumPy's largest integers hold; an honest worker sends no other."""
MOST_PARTS = 1_000_000
DEEPEST = 32


def is_bounded(value: Any) -> bool:
    """Tell whether a record, or plain data, is of a size that an honest worker's would have."""
    waiting = [(value, 0)]
    count = 0
    while waiting:
        part, depth = waiting.pop()
        count += 1
        if depth > DEEPEST or count > MOST_PARTS or not _is_small(part):
            return False
        waiting += [(inner, depth + 1) for inner in _parts(part)]
    return True


def _is_small(part: Any) -> bool:
    if isinstance(part, str):
        return len(part) <= LONGEST_TEXT
    if isinstance(part, int):
        return abs(part) <= LARGEST_INTEGER
    if isinstance(part, Mapping):
        return all(len(str(key)) <= LONGEST_KEY for key in part)
    return True


def _parts(part: Any) -> Iterator[Any]:
    if isinstance(part, Mapping):
        yield from part.values()
    elif isinstance(part, list | tuple):
        yield from part
    elif is_dataclass(part):
        yield from (getattr(part, field.name) for field in fields(part))
