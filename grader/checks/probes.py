"""Checks of what a student's functions and values are: the answers to an assignment's probes.

``probes["one_hot"]`` is what ``[probes.one_hot]`` in ``assignment.toml`` asked for. When the
function was missing, raised or never returned, its checks fail with that reason by themselves.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from grader.checks.comparing import (
    Mistakes,
    difference,
    member,
    mistake,
    number,
    numbers_of,
    plain_value,
    words,
)
from grader.checks.names import canonical, means
from grader.checks.unanswered import Unanswered
from grader.checks.verdict import BrokenFactError, MissingFactError, Unmet
from grader.probes import Probe
from grader.records import ExecutionRecord, GivenValue


class Probes(Mapping[str, "Probed"]):
    """What the probes were answered, by their names in ``assignment.toml``."""

    def __init__(self, probes: Mapping[str, Probe], execution: ExecutionRecord) -> None:
        self._probes = probes
        self._execution = execution

    def __getitem__(self, name: str) -> "Probed":
        """Give what one probe was answered.

        Raises:
            BrokenFactError: The assignment has no such probe.
        """
        if name not in self._probes:
            raise BrokenFactError(f"assignment.toml has no [probes.{name}]")
        probe = self._probes[name]
        answer = self._execution.probes.get(name)
        if answer is None and self._execution.ending != "unreadable":
            raise BrokenFactError(f"[probes.{name}] was not asked")
        why = Unanswered(probe, answer, self._execution)
        given = [step.value for step in answer.steps] if answer else []
        if why.nothing:  # a value before an error is no answer
            return Probed(probe.words(), given, why, last=None)
        return Probed(probe.words(), given, why, last=given[-1], mutated=why.mutated)

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._probes)

    def __len__(self) -> int:
        """Count the probes."""
        return len(self._probes)


class Probed:
    """One probe's answer, or an entry of it."""

    def __init__(
        self,
        name: str,
        steps: Sequence[GivenValue],
        why: Unanswered,
        *,
        last: GivenValue | None,
        mutated: tuple[str, ...] = (),
    ) -> None:
        self._name = name
        self._steps = tuple(steps)
        self._why = why
        self._last = last
        self._mutated = mutated

    # -------------------------------------------------------------- facts

    @property
    def given(self) -> GivenValue:
        """What was given, of several steps the last.

        Raises:
            Unmet: There is no answer; says why.
        """
        if self._last is None:
            raise self._why.error(len(self._steps) + 1)
        return self._last

    @property
    def value(self) -> Any:
        """The answer as plain Python: nested lists, numbers, texts, dictionaries.

        Example:
            ``assert probes["rank"].value == 2``
        """
        return plain_value(self.given)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Its shape; ``()`` for a number, ``None`` for what has none."""
        return self.given.shape

    @property
    def steps(self) -> tuple[Any, ...]:
        """What each step gave, as plain Python."""
        self.given  # noqa: B018 - raises when there is nothing
        return tuple(map(plain_value, self._steps))

    def __getitem__(self, key: str) -> "Probed":
        """Give an entry of a dictionary.

        Example:
            ``answers["quiz"]["squared_error"].expect_number(0.36)``

        Raises:
            Unmet: It is no dictionary, or has no such entry.
        """
        found, name = self.given, f"{self._name}[{key!r}]"
        if found.kind != "dict":
            raise self._unmet("a dictionary", words(found))
        given = {canonical(known): item for known, item in self._entries(found)}
        if canonical(key) not in given:
            hint = "Keep the keys that the handout gives."
            raise MissingFactError(expected=f"`{name}`", received=words(found), hint=hint)
        entry = given[canonical(key)]
        return Probed(name, [entry], self._why, last=entry)

    @staticmethod
    def _entries(found: GivenValue) -> Iterator[tuple[str, GivenValue]]:
        return zip(found.keys, found.items, strict=True)

    def _unmet(self, expected: str, received: str, hint: str = "") -> Unmet:
        return Unmet(expected=f"`{self._name}` to give {expected}", received=received, hint=hint)

    # -------------------------------------------------------------- values

    def expect_equal(
        self,
        wanted: Any,
        *,
        tolerance: float = 1e-6,
        squeeze: bool = False,
        mistakes: Mistakes = (),
    ) -> None:
        """Expect a value; lists, arrays and tensors are the same, and so are 1 and 1.0.

        Args:
            wanted: Numbers, texts, arrays, or lists, tuples, dictionaries of these.
            tolerance: How far a number may differ, as a share of it or of 1.
            squeeze: Axes of length 1 make no difference: ``(n, 1)`` is as good as ``(n,)``.
            mistakes: Wrong answers, and what is wrong with each.

        Example:
            ``probes["softmax"].expect_equal([0.5, 0.5], mistakes={"[1, 1]": "not divided"})``
        """
        found = self.given
        other = difference(wanted, found, tolerance=tolerance, squeeze=squeeze)
        if other is not None:
            why = mistake(mistakes, found, tolerance=tolerance)
            raise self._unmet(other.expected, other.received, why or other.hint)

    def expect_shape(self, wanted: tuple[int, ...]) -> None:
        """Expect a shape, of an array, a tensor or nested lists.

        Example:
            ``probes["one_hot"].expect_shape((3, 10))``
        """
        if self.shape != wanted:
            turned = self.shape is not None and len(wanted) > 1 and self.shape == wanted[::-1]
            hint = "The axes are the other way round." if turned else ""
            raise self._unmet(f"something of shape {wanted}", self._shaped(), hint)

    def _shaped(self) -> str:
        return words(self.given) if self.shape is None else f"shape {self.shape}"

    def expect_rows_sum_to_one(self, *, tolerance: float = 1e-6) -> None:
        """Expect probabilities: no number below 0, the last axis sums to 1.

        Example:
            ``probes["softmax"].expect_rows_sum_to_one()``
        """
        rows = self._numbers()
        if not np.isfinite(rows).all():
            raise self._unmet("numbers", f"{words(self.given)}, which holds NaN or infinities")
        if rows.size and rows.min() < 0:
            raise self._unmet("numbers from 0 to 1", f"{number(rows.min())}")
        sums = rows.sum(axis=-1).ravel() if rows.ndim else rows.reshape(1)
        far = np.flatnonzero(np.abs(sums - 1) > tolerance)
        if len(far):
            which = f"row {far[0]} sums to" if rows.ndim > 1 else "they sum to"
            hint = "Over which axis is the sum?" if rows.ndim > 1 else ""
            raise self._unmet("rows that sum to 1", f"{which} {number(sums[far[0]])}", hint)

    def expect_between(self, low: float, high: float) -> None:
        """Expect every number within bounds.

        Example:
            ``probes["sigmoid"].expect_between(0, 1)``
        """
        found = self._numbers()
        wrong = found[~((found >= low) & (found <= high))].tolist()
        if wrong:
            raise self._unmet(f"numbers from {low:g} to {high:g}", number(wrong[0]))

    def _numbers(self) -> Any:
        try:
            found = numbers_of(self.given)
        except BrokenFactError:  # larger than whoever wrote the check can have meant
            found = None
        if found is None:
            raise self._unmet("numbers", words(self.given))
        return found

    def expect_spread(
        self,
        std: float,
        *,
        within: float = 0.05,
        mean: float = 0.0,
        mistakes: Mapping[float, str] | None = None,
    ) -> None:
        """Expect random numbers of a mean and a standard deviation, as far as chance allows.

        The mean may be off by five standard errors.

        Args:
            std: The standard deviation.
            within: How far it may be off, as a share of it.
            mean: The mean.
            mistakes: Wrong standard deviations, and what is wrong with each.

        Example:
            ``probes["xavier"].expect_spread(0.0357, within=0.05)``
        """
        found = self.given
        if found.std is None or found.mean is None or found.shape is None:
            raise self._unmet("an array of numbers", words(found))
        if not abs(found.std - std) <= within * std:
            expected = f"numbers of standard deviation {std:.4g} (±{100 * within:g} %)"
            near = (
                why
                for wrong, why in (mistakes or {}).items()
                if abs(found.std - wrong) <= within * wrong
            )
            raise self._unmet(expected, f"standard deviation {found.std:.4g}", next(near, ""))
        error = 5 * std / math.sqrt(max(1, math.prod(found.shape)))
        if not abs(found.mean - mean) <= error:
            raise self._unmet(f"numbers of mean {mean:g}", f"mean {found.mean:.4g}")

    def expect_unchanged_input(self) -> None:
        """Expect that the function left its arguments as they were.

        Example:
            ``probes["one_hot"].expect_unchanged_input()``
        """
        self.given  # noqa: B018 - raises when there is nothing
        if self._mutated:
            places = ", ".join(
                f"argument {int(name) + 1}" if name.isdigit() else f"`{name}`"
                for name in self._mutated
            )
            raise Unmet(
                expected=f"`{self._name}` to leave its arguments as they are",
                received=f"{places} was changed",
                hint="Work on a copy, or make a new array.",
            )

    # -------------------------------------------------------------- steps

    def expect_steps(
        self,
        wanted: Sequence[Any],
        *,
        result: int | None = None,
        tolerance: float = 1e-6,
        mistakes: Mistakes = (),
    ) -> None:
        """Expect what each step gives, from the first on.

        Args:
            wanted: One value for each step.
            result: Which of the results is looked at, from 0; all when left out.
            tolerance: How far a number may differ, as a share of it or of 1.
            mistakes: Wrong values of the first step that is wrong, and what is wrong with each.

        Example:
            ``probes["momentum"].expect_steps([(0.8, -0.2), (0.46, -0.34)])``
        """
        for step, value in enumerate(wanted, start=1):
            self.expect_close_at_step(
                step, value, result=result, tolerance=tolerance, mistakes=mistakes
            )

    def expect_close_at_step(
        self,
        step: int,
        wanted: Any,
        *,
        result: int | None = None,
        tolerance: float = 1e-6,
        mistakes: Mistakes = (),
    ) -> None:
        """Expect what one step gives, counted from 1.

        Example:
            ``probes["momentum"].expect_close_at_step(2, 0.46, result=0)``
        """
        if step > len(self._steps):
            raise self._why.error(step)
        found = self._steps[step - 1]
        chosen = found if result is None else member(found, result)
        at = f" in step {step}" + (f" as result {result}" if result is not None else "")
        if chosen is None:
            raise self._unmet(f"{words(wanted)}{at}", words(found))
        other = difference(wanted, chosen, tolerance=tolerance, squeeze=True)
        if other is not None:
            why = mistake(mistakes, chosen, tolerance=tolerance)
            raise self._unmet(f"{other.expected}{at}", other.received, why or other.hint)

    # -------------------------------------------------------------- answers to questions

    def expect_number(
        self,
        wanted: float,
        *,
        also: Sequence[str] = (),
        tolerance: float = 1e-6,
        mistakes: Mistakes = (),
    ) -> None:
        """Expect a number as the answer to a question; ``"9/25"`` and ``"407,050"`` are numbers.

        The right number is not told.

        Args:
            wanted: The number.
            also: Texts that are right as well.
            tolerance: How far it may differ, as a share of it or of 1.
            mistakes: Wrong numbers, and what is wrong with each.

        Example:
            ``answers["error"].expect_number(0.36, mistakes={"0.6": "the difference alone"})``
        """
        found = self.given
        if found.kind == "text" and any(means(found.text, each) for each in also):
            return
        given = _as_number(found)
        if given is None:
            raise self._unmet("a number", words(found))
        if difference(wanted, given, tolerance=tolerance, squeeze=True) is not None:
            why = mistake(mistakes, given, tolerance=tolerance)
            raise self._unmet("another number", words(found), why)

    def expect_any_number(self) -> None:
        """Expect that there is a number, whichever.

        Example:
            ``answers["error"].expect_any_number()``
        """
        if _as_number(self.given) is None:
            raise self._unmet("a number", words(self.given))

    def expect_choice(
        self, wanted: str, *, also: Sequence[str] = (), mistakes: Mapping[str, str] | None = None
    ) -> None:
        """Expect a name or word, in any of its spellings, or the thing of Keras' it names.

        The right one is not told.

        Args:
            wanted: The word.
            also: Words that are right as well.
            mistakes: Wrong words, and what is wrong with each.

        Example:
            ``answers["output"].expect_choice("softmax", mistakes={"relu": "no probabilities"})``
        """
        text = _as_word(self.given)
        if text is None:
            raise self._unmet("a word", words(self.given))
        if not means(text, wanted, also):
            why = next((why for wrong, why in (mistakes or {}).items() if means(text, wrong)), "")
            raise self._unmet("another answer", words(self.given), why)

    def expect_table(
        self,
        wanted: Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]]],
        *,
        mistakes: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Expect a dictionary of rows, each a dictionary of cells; all wrong cells are told.

        Args:
            wanted: Row → column → the right cell, or a tuple of all that are right; or row →
                several rows, of which one must hold.
            mistakes: ``"row.column"`` or ``"column"`` → wrong cell → what is wrong with it.

        Example:
            ``answers["table"].expect_table({"binary": {"units": 1, "activation": "sigmoid"}})``
        """
        wrong: list[Unmet] = []
        for row, cells in wanted.items():
            ways = [cells] if isinstance(cells, Mapping) else cells
            tried = [self._wrong_cells(row, way, mistakes or {}) for way in ways]
            fewest: list[Unmet] = min(tried, key=len)
            wrong += fewest
        if wrong:
            raise Unmet(
                expected="; ".join(dict.fromkeys(each.expected for each in wrong)),
                received="; ".join(dict.fromkeys(each.received for each in wrong)),
                hint=" ".join(dict.fromkeys(each.hint for each in wrong if each.hint)),
            )

    def _wrong_cells(
        self, row: str, cells: Mapping[str, Any], mistakes: Mapping[str, Mapping[str, str]]
    ) -> list[Unmet]:
        wrong = []
        for column, cell in cells.items():
            why = {**mistakes.get(column, {}), **mistakes.get(f"{row}.{column}", {})}
            try:
                _expect_cell(self[row][column], cell, why)
            except Unmet as error:
                wrong.append(error)
        return wrong

    def expect_true(self, holds: Callable[[Any], bool], expected: str, hint: str = "") -> None:
        """Expect whatever a function of the plain value says.

        Example:
            ``probes["spreads"].expect_true(lambda x: x[-1] < 1e-6, "a spread that vanishes")``
        """
        value = self.value
        try:
            good = holds(value)
        except (TypeError, IndexError, KeyError, ValueError):
            good = False
        if not good:
            raise self._unmet(expected, words(self.given), hint)


def _as_number(found: GivenValue) -> GivenValue | None:
    """A number, however it was written; ``None`` when it is none."""
    if found.kind != "text":
        return found if found.numbers is not None and len(found.numbers) == 1 else None
    text = found.text.strip().replace("_", "").replace(" ", "")
    try:
        value = float(Fraction(text.replace(",", "")))
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return replace(found, kind="number", shape=(), numbers=(value,), text="")


def _as_word(found: GivenValue) -> str | None:
    if found.kind == "none":
        return "none"
    return found.text if found.kind in ("text", "name") else None


def _expect_cell(found: Probed, cell: Any, mistakes: Mapping[str, str]) -> None:
    right = cell if isinstance(cell, tuple) else (cell,)
    if all(isinstance(each, str) for each in right):
        found.expect_choice(right[0], also=right[1:], mistakes=mistakes)
    else:
        found.expect_number(right[0], also=[str(each) for each in right[1:]], mistakes=mistakes)
