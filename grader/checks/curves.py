"""Checks of how a training went: its history, epoch by epoch."""

import math
from typing import Any

from grader.checks.recorded import Recorded, meaning
from grader.checks.verdict import MissingFactError, Unmet

ENOUGH = 2
"""Epochs that can be compared."""


_NO_VALIDATION = "What begins with `val_` is there only when `fit` has samples to validate on."
_NO_METRIC = "What is to be watched is said in `compile`."


class Curves(Recorded):
    """The recorded trainings, asked for their history."""

    def expect_history(self, *metrics: str) -> None:
        """Expect that the last training's history has these metrics, by whatever spelling.

        Example:
            ``fits.expect_history("loss", "accuracy", "val_loss", "val_accuracy")``
        """
        if self.by_hand:
            return
        known = {meaning(name) for name in self.last.history}
        missing = [name for name in metrics if meaning(name) not in known]
        if not missing:
            return
        if not self.last.completed:
            hint = "The last call of `fit` did not return."
        elif (
            all(name.startswith("val_") for name in missing)
            and {meaning(name.removeprefix("val_")) for name in missing} <= known
        ):
            hint = _NO_VALIDATION
        else:
            hint = _NO_METRIC
        raise Unmet(
            expected="a history of " + ", ".join(metrics),
            received=", ".join(self.last.history) or "an empty one",
            hint=hint,
        )

    def expect_improvement(self, metric: str = "loss") -> None:
        """Expect that a metric is better at the end of the training than after its first epoch.

        A loss or an error falls, anything else rises.

        Example:
            ``fits.expect_improvement()``
        """
        if self.by_hand:
            return
        values = self._known_series(metric)
        if len(values) < ENOUGH:
            return
        first, last = values[0], values[-1]
        falls = meaning(metric).endswith(("loss", "error"))
        if last < first if falls else last > first:
            return
        raise Unmet(
            expected=f"a {metric} that {'falls' if falls else 'rises'}",
            received=f"{first:.4g} after the first epoch, {last:.4g} after the last",
            hint="The network does not learn: look at the learning rate, the loss, and whether "
            "samples and labels belong together.",
        )

    def best_epoch(self, metric: str = "val_loss") -> int:
        """Give the epoch with the lowest value, counted from 1.

        Raises:
            Unmet: The history has no such metric.
        """
        values = self._known_series(metric)
        numbers = [(value, n) for n, value in enumerate(values, start=1) if math.isfinite(value)]
        if not numbers:
            raise Unmet(expected=f"a {metric} that is a number", received="none in any epoch")
        return min(numbers)[1]

    def expect_overfitting_epoch(self, named: Any, *, tolerance: int = 2) -> None:
        """Expect that the student named the epoch after which the network overfits.

        It is judged by the student's own history: where its ``val_loss`` is lowest.

        Args:
            named: What the student named, e.g. ``values["overfit_epoch"]``.
            tolerance: Epochs by which it may be off.

        Example:
            ``fits.expect_overfitting_epoch(values["overfit_epoch"], tolerance=2)``
        """
        if self.by_hand:
            return
        is_number = isinstance(named, int | float) and not isinstance(named, bool)
        if is_number and abs(named - self.best_epoch()) <= tolerance:
            return
        raise Unmet(
            expected="the epoch after which your own `val_loss` no longer falls, give or take "
            f"{tolerance}",
            received=str(named) if is_number else f"{named!r}, which is no number",
            hint="Epochs count from 1, places in a list from 0.",
        )

    def expect_later_overfitting_than(self, other: "Curves") -> None:
        """Expect that this training overfits later than another one, by their own histories.

        Example:
            ``trainings["smaller"].expect_later_overfitting_than(trainings["model"])``
        """
        if self.by_hand or other.by_hand:
            return
        here, there = self.best_epoch(), other.best_epoch()
        if here <= there:
            raise Unmet(
                expected="a lowest `val_loss` in a later epoch than the other network's",
                received=f"epoch {here} here, epoch {there} there",
                hint="A network with fewer weights can learn less by heart; chance moves the "
                "epoch by one or two.",
            )

    def _known_series(self, metric: str) -> tuple[float, ...]:
        self._must_be_trained()
        values = self.series(metric)
        if not values:
            raise MissingFactError(
                expected=f"a history of {metric}",
                received=", ".join(self.last.history) or "an empty one",
                hint=_NO_VALIDATION if metric.startswith("val_") else _NO_METRIC,
            )
        return values
