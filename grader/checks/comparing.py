"""Compares what a student's function gave with what it ought to give, whatever form either has.

A list, an array and a tensor of the same numbers are the same; so are 1 and 1.0. A shape is looked
at first, then the first number that differs.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.checks.slips import slip_of_numbers, slip_of_shape
from grader.checks.verdict import BrokenFactError
from grader.records import GivenKind, GivenValue

Mistakes = Mapping[Any, str] | Iterable[tuple[Any, str]]
"""Wrong answers and what is wrong with them; a text is read as JSON where it is some."""
FEW = 12
"""Numbers that are written out."""
LONGEST = 60
"""Characters of a text that are written out."""
KEEP_DICTIONARY = "Keep the dictionary that the handout gives, with its keys."
KEEP_KEYS = "Keep the keys that the handout gives."
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where two values differ."""

    expected: str
    received: str
    hint: str = ""


def difference(
    wanted: Any, found: GivenValue, *, tolerance: float = 1e-6, squeeze: bool = False
) -> Difference | None:
    """Find the first difference; ``None`` when there is none.

    Args:
        wanted: A number, text, truth value, ``None``, array, or lists, tuples, dictionaries of
            these.
        found: What was given.
        tolerance: How far numbers may differ, as a share of the number or of 1, whichever is
            larger.
        squeeze: Axes of length 1 make no difference: ``(n, 1)`` is as good as ``(n,)``.

    Raises:
        BrokenFactError: It is too large to be compared.
    """
    if wanted is None or isinstance(wanted, str):
        kinds = ("none",) if wanted is None else ("text", "name")
        same = found.kind in kinds and found.text == (wanted or "")
        return None if same else _unlike(wanted, found)
    if isinstance(wanted, Mapping):
        return _tables(wanted, found, tolerance=tolerance, squeeze=squeeze)
    array = _as_array(wanted)
    if array is not None:
        return _arrays(array, found, tolerance=tolerance, squeeze=squeeze)
    if isinstance(wanted, list | tuple):
        return _sequences(wanted, found, tolerance=tolerance, squeeze=squeeze)
    raise TypeError(f"{wanted!r} can be no answer of a probe")


def mistake(mistakes: Mistakes, found: GivenValue, *, tolerance: float) -> str:
    """Explain a wrong answer that was foreseen; empty when it was not."""
    pairs = mistakes.items() if isinstance(mistakes, Mapping) else mistakes
    for wrong, why in pairs:
        if difference(_read(wrong), found, tolerance=tolerance, squeeze=True) is None:
            return why
    return ""


def _read(wrong: Any) -> Any:
    if isinstance(wrong, str):
        try:
            return json.loads(wrong)
        except ValueError:
            pass
    return wrong


# ------------------------------------------------------------------ numbers


def numbers_of(found: GivenValue) -> Numbers | None:
    """Give all numbers in their shape; ``None`` when it holds none, or other things.

    Raises:
        BrokenFactError: There are too many to have been kept.
    """
    if found.shape is None or found.numbers is None:
        if found.shape is None or not found.cut or found.mean is None:
            return None
        raise BrokenFactError(
            f"an array of shape {found.shape} is too large to be compared; ask with smaller inputs"
        )
    return np.array(found.numbers, dtype="float64").reshape(found.shape)


def _as_array(wanted: Any) -> Numbers | None:
    if isinstance(wanted, np.ndarray | np.generic | int | float):
        return np.asarray(wanted, dtype="float64")
    if not isinstance(wanted, list | tuple) or not _is_numeric(wanted):
        return None
    try:
        return np.array(wanted, dtype="float64")
    except ValueError:  # rows of different lengths
        return None


def _is_numeric(wanted: Sequence[Any]) -> bool:
    return all(
        _is_numeric(item)
        if isinstance(item, list | tuple)
        else isinstance(item, int | float | np.ndarray | np.generic)
        for item in wanted
    )


def _arrays(
    wanted: Numbers, found: GivenValue, *, tolerance: float, squeeze: bool
) -> Difference | None:
    if found.shape is None:
        return _unlike(wanted, found)
    have, want = found.shape, wanted.shape
    if squeeze:
        have, want = _without_ones(have), _without_ones(want)
    if have != want:
        return Difference(
            expected=f"{words(wanted)}, of shape {wanted.shape}",
            received=f"{words(found)}, of shape {found.shape}",
            hint=slip_of_shape(want, have),
        )
    numbers = numbers_of(found)
    if numbers is None:
        return _unlike(wanted, found)
    numbers = numbers.reshape(wanted.shape)
    with np.errstate(invalid="ignore"):
        near = np.abs(numbers - wanted) <= tolerance * np.maximum(1.0, np.abs(wanted))
    near &= np.isfinite(wanted)  # any number is as near as infinity times the tolerance
    near |= (numbers == wanted) | (np.isnan(numbers) & np.isnan(wanted))
    if near.all():
        return None
    place = tuple(int(axis) for axis in np.argwhere(~near)[0])
    at = f" at {list(place)}" if place else ""
    return Difference(
        expected=words(wanted) if wanted.size <= FEW else f"{number(wanted[place])}{at}",
        received=f"{words(found)}" + (f": {number(numbers[place])}{at}" if place else ""),
        hint=slip_of_numbers(wanted, numbers),
    )


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(axis for axis in shape if axis != 1)


# ------------------------------------------------------------------ collections


def member(found: GivenValue, place: int) -> GivenValue | None:
    """Give one member of a list, tuple or array; ``None`` when it has none there."""
    if found.items:
        return found.items[place] if found.kind != "dict" and place < len(found.items) else None
    if not found.shape or place >= found.shape[0] or found.numbers is None:
        return None
    shape = found.shape[1:]
    size = math.prod(shape)
    numbers = found.numbers[place * size : (place + 1) * size]
    kind: GivenKind = "array" if shape else "number"
    return GivenValue(kind=kind, type="", shape=shape, dtype=found.dtype, numbers=numbers)


def _sequences(
    wanted: Sequence[Any], found: GivenValue, *, tolerance: float, squeeze: bool
) -> Difference | None:
    length = len(found.items) if found.items or not found.shape else found.shape[0]
    if found.kind not in ("list", "tuple", "array", "tensor") or length != len(wanted):
        count = "1 result" if len(wanted) == 1 else f"{len(wanted)} results"
        hint = "Give them back together: `return one, another`." if len(wanted) > 1 else ""
        return Difference(expected=count, received=words(found), hint=hint)
    for place, want in enumerate(wanted):
        have = member(found, place)
        if have is None:
            return Difference(expected=words(want), received=words(found))
        if other := difference(want, have, tolerance=tolerance, squeeze=squeeze):
            return Difference(
                expected=f"{other.expected} as result {place}",
                received=f"{other.received} as result {place}",
                hint=other.hint,
            )
    return None


def _tables(
    wanted: Mapping[Any, Any], found: GivenValue, *, tolerance: float, squeeze: bool
) -> Difference | None:
    if found.kind != "dict":
        return _unlike(wanted, found)
    given = dict(zip(found.keys, found.items, strict=True))
    for key, want in wanted.items():
        if str(key) not in given:
            return Difference(expected=f"an entry {key!r}", received=words(found), hint=KEEP_KEYS)
        if other := difference(want, given[str(key)], tolerance=tolerance, squeeze=squeeze):
            return Difference(
                expected=f"{other.expected} at {key!r}",
                received=f"{other.received} at {key!r}",
                hint=other.hint,
            )
    return None


# ------------------------------------------------------------------ words


def plain_value(found: GivenValue) -> Any:
    """Give it as plain Python: nested lists, numbers, texts, dictionaries.

    Raises:
        BrokenFactError: It is too large to have been kept.
    """
    if found.kind == "none":
        return None
    if found.kind in ("text", "name"):
        return found.text
    if found.kind == "boolean":
        return bool(found.numbers[0]) if found.numbers else None
    if found.kind == "dict":
        values = map(plain_value, found.items)
        return dict(zip(found.keys, values, strict=True))
    if found.numbers is not None and found.shape is not None:
        return _nested(found.numbers, found.shape)
    if found.shape is not None and found.cut:
        numbers_of(found)
    return [plain_value(item) for item in found.items] if found.items else None


def _nested(numbers: Sequence[float], shape: tuple[int, ...]) -> Any:
    if not shape:
        return numbers[0]
    size = math.prod(shape[1:])
    return [_nested(numbers[i * size : (i + 1) * size], shape[1:]) for i in range(shape[0])]


def words(value: Any) -> str:
    """Write a value so that it fits into a sentence."""
    return _found_words(value) if isinstance(value, GivenValue) else _wanted_words(value)


def _found_words(found: GivenValue) -> str:
    text = found.text if len(found.text) <= LONGEST else f"{found.text[:LONGEST]}…"
    keys = ", ".join(map(repr, found.keys[:FEW]))
    by_kind = {
        "none": "nothing (`None`)",
        "text": repr(text),
        "name": text,
        "boolean": str(bool(found.numbers and found.numbers[0])),
        "dict": f"a dictionary with {keys}" if keys else "an empty dictionary",
        "model": f"a model of {len(found.layers)} layers",
        "other": f"an object of the class `{found.type}`",
    }
    if found.kind in by_kind:
        return by_kind[found.kind]
    if found.numbers is not None and found.shape is not None and len(found.numbers) <= FEW:
        return _written(_nested(found.numbers, found.shape))
    if found.shape is not None:
        return f"{_article(found.type or 'array')} of shape {found.shape}"
    members = "1 member" if len(found.items) == 1 else f"{len(found.items)} members"
    return f"a {found.kind} of {members}"


def _wanted_words(wanted: Any) -> str:
    if isinstance(wanted, np.ndarray | np.generic):
        if wanted.size > FEW:
            return f"an array of shape {wanted.shape}"
        return _written(wanted.tolist())
    if isinstance(wanted, list | tuple):
        array = _as_array(wanted)
        return _wanted_words(array) if array is not None else f"{len(wanted)} results"
    if isinstance(wanted, Mapping):
        return f"a dictionary with {', '.join(repr(str(key)) for key in wanted)}"
    return _written(wanted)


def _written(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return number(value) if isinstance(value, int | float) else repr(value)


def number(value: float) -> str:
    """Write a number with at most seven digits that matter."""
    return str(value) if isinstance(value, bool) else f"{value:.7g}"


def _article(name: str) -> str:
    return f"an `{name}`" if name[:1].lower() in "aeiou" else f"a `{name}`"


def _unlike(wanted: Any, found: GivenValue) -> Difference:
    hint = ""
    if found.kind == "none":
        hint = "A function without `return` gives None."
    elif isinstance(wanted, Mapping):
        hint = KEEP_DICTIONARY
    elif found.kind == "text":
        hint = "A text is no number: leave the quotes out."
    return Difference(expected=words(wanted), received=words(found), hint=hint)
