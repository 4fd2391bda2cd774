"""Checks of a function that is called again with what it gave: an update rule, step by step."""

from collections.abc import Sequence
from typing import Any

from grader.checks.answered import Answered
from grader.checks.comparing import Mistakes, difference, member, mistake, words


class Steps(Answered):
    """What each step gave."""

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
