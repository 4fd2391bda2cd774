"""Checks of what a student's functions and values are: the answers to an assignment's probes.

``probes["one_hot"]`` is what ``[probes.one_hot]`` in ``assignment.toml`` asked for. When the
function was missing, raised or never returned, its checks fail with that reason by themselves.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from grader.checks.comparing import Mistakes, difference, mistake, number, numbers_of, words
from grader.checks.questions import Questions
from grader.checks.slips import slip_of_numbers, slip_of_shape
from grader.checks.steps import Steps
from grader.checks.unanswered import Unanswered
from grader.checks.verdict import BrokenFactError, Unmet
from grader.probes import Probe
from grader.records import ExecutionRecord


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


class Probed(Steps, Questions):
    """One probe's answer, or an entry of it."""

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
            hint = "" if self.shape is None else slip_of_shape(wanted, self.shape)
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
            hint = slip_of_numbers(np.zeros_like(rows), rows)
            raise self._unmet(
                "numbers", f"{words(self.given)}, which holds NaN or infinities", hint
            )
        if rows.size and rows.min() < 0:
            hint = "A probability is never negative."
            raise self._unmet("numbers from 0 to 1", f"{number(rows.min())}", hint)
        sums = rows.sum(axis=-1).ravel() if rows.ndim else rows.reshape(1)
        far = np.flatnonzero(np.abs(sums - 1) > tolerance)
        if len(far):
            which = f"row {far[0]} sums to" if rows.ndim > 1 else "they sum to"
            hint = "Over which axis is the sum?" if rows.ndim > 1 else "Divide by their sum."
            raise self._unmet("rows that sum to 1", f"{which} {number(sums[far[0]])}", hint)

    def expect_between(self, low: float, high: float) -> None:
        """Expect every number within bounds.

        Example:
            ``probes["sigmoid"].expect_between(0, 1)``
        """
        found = self._numbers()
        wrong = found[~((found >= low) & (found <= high))].tolist()
        not_finite = not np.isfinite(found).all()
        if wrong:
            least, most = number(found.min()), number(found.max())
            hint = slip_of_numbers(np.zeros_like(found), found) if not_finite else ""
            hint = hint or f"They reach from {least} to {most}."
            raise self._unmet(f"numbers from {low:g} to {high:g}", number(wrong[0]), hint)

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
            times = f"They spread {found.std / std:.4g} times as widely." if std else ""
            raise self._unmet(expected, f"standard deviation {found.std:.4g}", next(near, times))
        error = 5 * std / math.sqrt(max(1, math.prod(found.shape)))
        if not abs(found.mean - mean) <= error:
            hint = f"They spread as they should, but around {found.mean:.4g}."
            raise self._unmet(f"numbers of mean {mean:g}", f"mean {found.mean:.4g}", hint)

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
