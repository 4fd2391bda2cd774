"""Checks of the arrays a student made: shapes, types and ranges of named variables."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from grader.checks.recorded import range_words
from grader.checks.slips import is_of_shape, slip_of_shape
from grader.checks.verdict import MissingFactError, Unmet
from grader.records import ArrayFacts

NEAR = 0.02
"""The share of a range by which its ends may be missed."""
SMALLER = 0.1
"""The share of the largest value that looks like a second scaling."""
NORMAL = 0.1
"""How far a mean may be from 0, and a standard deviation from 1."""
_FRACTION = re.compile(r"\s*(-?\d{1,15})\s*/\s*(\d{1,15})\s*", re.ASCII)
VISIBLE = 0.01
"""A tolerance worth mentioning."""


class Variables(Mapping[str, ArrayFacts]):
    """Facts of the arrays that had a name when the run ended, as checks see them."""

    def __init__(self, facts: Mapping[str, ArrayFacts]) -> None:
        self._facts = facts

    def __getitem__(self, name: str) -> ArrayFacts:
        """Give one array's facts.

        Raises:
            Unmet: There is no array of that name.
        """
        if name not in self._facts:
            near = ", ".join(f"`{known}`" for known in sorted(self._facts)[:10])
            raise MissingFactError(
                expected=f"an array called `{name}`",
                received=f"arrays called {near}" if near else "no arrays",
                hint="Keep the names that the handout gives.",
            )
        return self._facts[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is an array of that name."""
        return name in self._facts

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._facts)

    def __len__(self) -> int:
        """Count the arrays."""
        return len(self._facts)

    def expect_shape(self, name: str, shape: tuple[int | None, ...]) -> None:
        """Expect an array's shape; an axis of ``None`` may have any length.

        Example:
            ``variables.expect_shape("x_train", (None, 784))``
        """
        found = self[name].shape
        if not is_of_shape(shape, found):
            raise Unmet(
                expected=f"`{name}` of shape {shape}",
                received=f"shape {found}",
                hint=slip_of_shape(shape, found),
            )

    def expect_dtype(self, name: str, *wanted: str) -> None:
        """Expect one of these types of number.

        Example:
            ``variables.expect_dtype("x_train", "float32")``
        """
        found = self[name].dtype
        if found not in wanted:
            raise Unmet(
                expected=f"`{name}` of {' or '.join(wanted)}",
                received=found,
                hint="Look at `astype`; dividing an array of bytes makes numbers of 64 bits.",
            )

    def expect_range(self, name: str, low: float, high: float) -> None:
        """Expect that an array's values lie between two numbers and come near both.

        Example:
            ``variables.expect_range("x_train", 0, 1)``
        """
        facts = self._numbers(name)
        near = NEAR * (high - low)
        ends = ((facts.minimum or 0.0, low), (facts.maximum or 0.0, high))
        if all(abs(found - wanted) <= near for found, wanted in ends):
            return
        smaller = abs(facts.maximum or 0.0) < SMALLER * abs(high)
        raise Unmet(
            expected=f"`{name}` with values of {low:g}…{high:g}",
            received=f"values of {range_words(facts)}",
            hint="Was it scaled twice, by a cell that ran twice or in two places?"
            if smaller
            else "Look at what its values are divided by.",
        )

    def expect_one_hot(self, name: str, *, classes: int) -> None:
        """Expect rows with a single 1 among zeros, one place for each class.

        Example:
            ``variables.expect_one_hot("y_train", classes=10)``
        """
        facts = self[name]
        if facts.one_hot and facts.shape[1:] == (classes,):
            return
        if facts.shape[1:] != (classes,):
            received = f"shape {facts.shape}"
            hint = "Each label becomes a row with a place for each class, also for one that does "
            hint += "not occur."
        else:
            received = f"rows of values {range_words(facts)}"
            hint = "Each row adds up to 1, with all of it at the place of its class."
        raise Unmet(
            expected=f"`{name}` as one-hot rows of {classes} numbers", received=received, hint=hint
        )

    def expect_normalised(self, name: str) -> None:
        """Expect values with a mean of 0 and a standard deviation of 1.

        Example:
            ``variables.expect_normalised("x_train")``
        """
        facts = self._numbers(name)
        mean, deviation = facts.mean or 0.0, facts.deviation
        if abs(mean) <= NORMAL and (deviation is None or abs(deviation - 1) <= NORMAL):
            return
        spread = "" if deviation is None else f", a standard deviation of {deviation:.3g}"
        raise Unmet(
            expected=f"`{name}` with a mean of 0 and a standard deviation of 1",
            received=f"a mean of {mean:.3g}{spread}",
            hint="Both are taken from the training data and used for every other part of it.",
        )

    def expect_split(self, sizes: Mapping[str, int]) -> None:
        """Expect arrays of so many samples each, all of the same kind.

        Example:
            ``variables.expect_split({"x_train": 50_000, "x_val": 10_000})``
        """
        found = {name: self[name].shape for name in sizes}
        counts = {name: shape[0] if shape else None for name, shape in found.items()}
        if counts != dict(sizes):
            raise Unmet(
                expected=", ".join(f"{size:,} in `{name}`" for name, size in sizes.items()),
                received=", ".join(
                    f"{size:,} in `{name}`" if size is not None else f"`{name}` is no array of rows"
                    for name, size in counts.items()
                ),
                hint="An index into an array that was already shortened counts from its new end.",
            )
        if len({shape[1:] for shape in found.values()}) > 1:
            raise Unmet(
                expected="samples of one shape",
                received=", ".join(f"`{name}` of shape {shape}" for name, shape in found.items()),
                hint="Was only a part of the data reshaped?",
            )

    def _numbers(self, name: str) -> ArrayFacts:
        facts = self[name]
        if facts.minimum is None or facts.maximum is None:
            raise Unmet(
                expected=f"`{name}` to hold numbers", received=f"{facts.dtype}, {facts.shape}"
            )
        return facts


class Values(Mapping[str, Any]):
    """Numbers, texts and small collections that had a name when the run ended."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        """Give one value.

        Raises:
            Unmet: There is none of that name.
        """
        if name not in self._values:
            near = ", ".join(f"`{known}`" for known in sorted(self._values)[:10])
            raise MissingFactError(
                expected=f"a value called `{name}`",
                received=f"values called {near}" if near else "none",
                hint="Keep the names that the handout gives.",
            )
        return _with_floats(self._values[name])

    def __contains__(self, name: object) -> bool:
        """Whether there is a value of that name."""
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._values)

    def __len__(self) -> int:
        """Count the values."""
        return len(self._values)

    def expect_number(self, name: str, wanted: float, *, tolerance: float = 1e-6) -> None:
        """Expect a number; a text that says it, as ``"9/25"``, will do.

        Example:
            ``values.expect_number("overfit_epoch", 4, tolerance=1)``
        """
        found = _number(self[name])
        if found is None or not abs(found - wanted) <= tolerance:
            raise Unmet(
                expected=f"`{name}` to be right"
                + (f", give or take {tolerance:g}" if tolerance >= VISIBLE else ""),
                received=repr(self[name]),
                hint="" if found is not None else "It is to be a number.",
            )

    def expect_value(self, name: str, *wanted: Any) -> None:
        """Expect one of these values; case and spaces around a text do not matter.

        Example:
            ``values.expect_value("answer", "overfitting", "over-fitting")``
        """
        found = self[name]
        if _bare(found) not in [_bare(value) for value in wanted]:
            raise Unmet(expected=f"`{name}` to be right", received=repr(found))


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    fraction = _FRACTION.fullmatch(value)
    try:
        if fraction and int(fraction[2]):
            return int(fraction[1]) / int(fraction[2])
        return float(value)
    except (ValueError, OverflowError):  # thousands of digits
        return None


def _with_floats(value: Any) -> Any:
    """NaN and infinities as numbers again, where JSON had to write them otherwise."""
    if isinstance(value, Mapping):
        if list(value) == ["__float__"] and value["__float__"] in ("nan", "inf", "-inf"):
            return float(value["__float__"])
        return {key: _with_floats(item) for key, item in value.items()}
    return [_with_floats(item) for item in value] if isinstance(value, list) else value


def _bare(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip().casefold()
    return [_bare(item) for item in value] if isinstance(value, list | tuple) else value
