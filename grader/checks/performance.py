"""Checks of how good a model is, on data that the student's code could not reach."""

import math

from grader.checks.verdict import (
    EVERY_WORD,
    BrokenFactError,
    MissingFactError,
    Told,
    Unmet,
)
from grader.records import CheckWord, Measurement, Metric
from grader.settings import Bounds


class HeldOut:
    """The measurement, as checks see it.

    Args:
        measurement: What was measured.
        bounds: What the assignment says the model should reach, if it says so.
        told: Where it is noted that the check has been told what was measured.
    """

    def __init__(
        self,
        measurement: Measurement,
        bounds: Bounds | None = None,
        told: Told | None = None,
    ) -> None:
        self._measurement = measurement
        self._bounds = bounds or Bounds()
        self._told = told or Told()

    @property
    def measurement(self) -> Measurement:
        """Everything known about it."""
        self._told.measured = True
        return self._measurement

    def _value(self, metric: Metric) -> float:
        if self._measurement.metric != metric:
            raise BrokenFactError(
                f"this assignment's task is measured by its {self._measurement.metric}, "
                f"not by its {metric}"
            )
        value = self._measurement.value
        if value is None:
            raise MissingFactError(
                expected="answers to the held-out samples",
                received="none",
                hint=self._measurement.problem,
            )
        return value

    @property
    def accuracy(self) -> float:
        """The share of held-out samples answered right.

        Raises:
            Unmet: Nothing could be measured.
        """
        value = self._value("accuracy")
        self._told.measured = True
        return value

    @property
    def error(self) -> float:
        """The mean of the squared errors on held-out samples, of a regression.

        Raises:
            Unmet: Nothing could be measured.
        """
        value = self._value("mean_squared_error")
        self._told.measured = True
        return value

    def expect_accuracy(self, *, at_least: float | None = None) -> None:
        """Expect a share of right answers.

        Args:
            at_least: The share; without it, the one of ``[thresholds.accuracy]``, or of one of
                several models ``[thresholds.models.NAME.accuracy]``, so that it stands in one place
                only.

        Raises:
            BrokenFactError: The share stands in neither place.

        Example:
            ``held_out.expect_accuracy()``
        """
        is_fixed = at_least is None
        if at_least is None and self._bounds.accuracy:
            at_least = self._bounds.accuracy.at_least
        if at_least is None:
            raise BrokenFactError(
                "assignment.toml has no [thresholds.accuracy], or of one of several models "
                "[thresholds.models.NAME.accuracy]: write at_least = 0.90 there, or "
                "expect_accuracy(at_least=0.90) in the check"
            )
        if self._value("accuracy") >= at_least:
            return
        raise self._short(
            f"an accuracy of at least {at_least:.1%} on held-out data".replace("%", " %"),
            measured_words(self._measurement),
            is_fixed=is_fixed,
        )

    def expect_error(self, *, at_most: float | None = None) -> None:
        """Expect a mean of the squared errors, of a regression.

        Args:
            at_most: The mean; without it, the one of ``[thresholds.error]``, or of one of several
                models ``[thresholds.models.NAME.error]``.

        Raises:
            BrokenFactError: It stands in neither place.

        Example:
            ``held_out.expect_error(at_most=0.001)``
        """
        is_fixed = at_most is None
        if at_most is None and self._bounds.error:
            at_most = self._bounds.error.at_most
        if at_most is None:
            raise BrokenFactError(
                "assignment.toml has no [thresholds.error], or of one of several models "
                "[thresholds.models.NAME.error]: write at_most = 0.001 there, or "
                "expect_error(at_most=0.001) in the check"
            )
        if self._value("mean_squared_error") <= at_most:
            return
        raise self._short(
            f"a mean squared error of at most {at_most:g} on held-out data",
            measured_words(self._measurement),
            is_fixed=is_fixed,
        )

    def expect_each_class(self, *, at_least: float) -> None:
        """Expect a share of right answers within each class.

        Example:
            ``held_out.expect_each_class(at_least=0.5)``
        """
        self._value("accuracy")  # raises when there is nothing
        shares = self._measurement.per_class
        worst = min(range(len(shares)), key=lambda label: shares[label])
        if shares[worst] >= at_least:
            return
        raise self._short(
            f"at least {at_least:.0%} right in each class".replace("%", " %"),
            f"{shares[worst]:.1%} in class {worst}".replace("%", " %"),
        )

    def _short(self, expected: str, received: str, *, is_fixed: bool = False) -> Unmet:
        """Say what is not reached, and which of the words tell what was measured.

        Args:
            expected: What ought to be.
            received: What is.
            is_fixed: Whether the bound stands in ``assignment.toml``. One that a check gives may be
                made of what the check has been told before.
        """
        tells: list[CheckWord] = ["received"]
        hint = self._about_answers()
        if not hint or self._may_be_chosen:
            tells.append("hint")
        tells_all = self._told.measured and not is_fixed
        self._told.measured = True
        return Unmet(
            expected=expected,
            received=received,
            hint=hint or self._about_mistakes(),
            tells=EVERY_WORD if tells_all else tuple(tells),
        )

    @property
    def _may_be_chosen(self) -> bool:
        """Whether it may be the best of several: then the very answers say something of labels."""
        wanted = self._bounds.of(self._measurement.metric)
        return len(self._measurement.tried) > 1 or bool(wanted and wanted.retries)

    def _about_answers(self) -> str:
        """Say what is odd about the answers, whatever the labels are."""
        found = self._measurement
        if found.constant:
            what = "class" if found.metric == "accuracy" else "number"
            return f"The model gives every sample the same {what}: it has learnt nothing."
        if found.non_finite:
            return f"{found.non_finite:,} answers are not numbers (NaN or infinite)."
        return ""

    def _about_mistakes(self) -> str:
        found = self._measurement
        if found.metric == "mean_squared_error" and found.value is not None:
            return f"An answer is off by about {math.sqrt(found.value):.2g}: the root of that."
        if not found.per_class:
            return ""
        ranked = sorted(range(len(found.per_class)), key=lambda label: found.per_class[label])
        worst, best = (
            f"{100 * found.per_class[label]:.0f} % of class {label}"
            for label in (ranked[0], ranked[-1])
        )
        return f"It is right for {best}, but only for {worst}."


def measured_words(measurement: Measurement) -> str:
    """A value with its sample size and interval: ``91.3 % of 10,000 (90.7–91.8)``.

    Of a mean squared error: ``0.00032 over 310 (0.00027–0.00037)``.
    """
    if measurement.value is None or measurement.low is None or measurement.high is None:
        return "nothing measured"
    if measurement.metric == "mean_squared_error":
        ends = f"{measurement.low:.2g}–{measurement.high:.2g}"
        return f"{measurement.value:.2g} over {measurement.samples:,} ({ends})"
    ends = f"{100 * measurement.low:.1f}–{100 * measurement.high:.1f}"
    return f"{100 * measurement.value:.1f} % of {measurement.samples:,} ({ends})"
