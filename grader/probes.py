"""Probes: what an assignment asks of the functions and values that a student defined.

Only questions: a probe says what is called and with what. What the answer ought to be stands in a
check, on the host, and never enters a process that runs a student's code.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

Path = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
DType = Literal[
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """``[probes.NAME]``: one question, asked after the last cell."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    call: Path | None = None
    """The function to call, e.g. ``"to_one_hot"`` or ``"network.forward"``."""
    value: Path | None = None
    """Instead: the name to read, e.g. ``"answers"``."""
    arguments: tuple[Any, ...] = ()
    """Its positional arguments; lists become NumPy arrays."""
    keywords: Mapping[str, Any] = field(default_factory=dict)
    """Its arguments by keyword."""
    lists: bool = False
    """Whether lists stay lists."""
    dtype: DType | None = None
    """The type of the arrays; NumPy's choice when left out."""
    repeat: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many times it is called; every result is kept."""
    feed: Mapping[str, Annotated[int, Field(ge=0)]] = field(default_factory=dict)
    """Argument ← result of the step before: ``{0 = 0, 2 = 1}``; a keyword argument by its name."""
    then: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Argument → its values in the steps after the first: ``{1 = [0.8, 0.4]}``."""
    seconds: Annotated[float, Field(gt=0, le=120)] = 5.0
    """How long it may take, all steps together."""

    def question(self) -> dict[str, Any]:
        """Give it as plain data: as a sandbox gets it, and as what decides the answer."""
        inputs = [self.arguments, dict(self.keywords), dict(self.then)]
        return {
            "call": self.call,
            "value": self.value,
            # as text: a task is strict JSON, and an argument may be NaN
            "inputs": json.dumps(inputs),
            "lists": self.lists,
            "dtype": self.dtype,
            "repeat": self.repeat,
            "feed": dict(self.feed),
            "seconds": self.seconds,
        }

    def words(self) -> str:
        """Write it as a student would: ``to_one_hot([0, 2, 9], dimension=10)``."""
        if self.value:
            return self.value
        given = [_short(value) for value in self.arguments]
        given += [f"{name}={_short(value)}" for name, value in self.keywords.items()]
        return f"{self.call}({', '.join(given)})"


def complaints(probe: Probe) -> list[str]:
    """Say what an instructor got wrong in a probe; each is ``key: what is wrong``."""
    if (probe.call is None) == (probe.value is None):
        return ["expected either `call` or `value`"]
    if probe.value:
        extra = [key for key in ("arguments", "keywords", "feed", "then") if getattr(probe, key)]
        extra += ["repeat"] if probe.repeat > 1 else []
        return [f"{key}: a value is read, not called" for key in extra]
    found = [
        f"{key}.{name}: there is no argument {name}"
        for key in ("feed", "then")
        for name in getattr(probe, key)
        if not _is_argument(probe, name)
    ]
    found += [f"then.{name}: is fed as well" for name in probe.then if name in probe.feed]
    found += [
        f"then.{name}: expected {probe.repeat - 1} values, one for each step after the first. "
        f"Received: {len(values)}"
        for name, values in probe.then.items()
        if len(values) != probe.repeat - 1
    ]
    if probe.feed and probe.repeat == 1:
        found.append("feed: there is no second step; set `repeat`")
    given = [*probe.arguments, *probe.keywords.values(), *probe.then.values()]
    for value in given:
        if not _is_plain(value):
            found.append(f"arguments: {value!r} is no number, text, truth value, list or table")
        elif isinstance(value, list) and not probe.lists and _shape(value) is None:
            found.append(f"arguments: {_short(value)} is no array; for lists, say `lists = true`")
    return found


def _is_argument(probe: Probe, name: str) -> bool:
    if name.isdigit():
        return int(name) < len(probe.arguments)
    return name in probe.keywords


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, str | bool | int | float)


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of a nested list; ``None`` when its rows differ in length."""
    if not isinstance(value, list):
        return ()
    shapes = {_shape(item) for item in value}
    if len(shapes) > 1 or None in shapes:
        return None
    (inner,) = shapes or {()}
    return (len(value), *(inner or ()))


LONGEST = 60


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
