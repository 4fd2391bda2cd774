"""Checks of what a training was told: epochs, batch size, optimizer, loss, metrics."""

import math

from grader.checks.recorded import Recorded, meaning, trained_samples
from grader.checks.verdict import Unmet, count
from grader.records import CompileFacts, FitRecord

KERAS_BATCH = 32
"""Samples in an update when nobody says how many."""
SAME_RATE = 1e-3
"""Share by which two learning rates may differ and be the same, written in other digits."""


class Settings(Recorded):
    """The recorded trainings, asked for their settings."""

    def expect_epochs(
        self,
        *,
        at_least: int | None = None,
        at_most: int | None = None,
        exactly: int | None = None,
    ) -> None:
        """Expect so many epochs in the last training; calls of ``fit`` that go on add up.

        Where the assignment's own training budget ended it, the epochs asked for count.

        Example:
            ``fits.expect_epochs(exactly=20)``
        """
        if self.by_hand:
            return
        last, found = self.last, sum(map(_epochs, self.run))
        low, high = (exactly, exactly) if exactly is not None else (at_least, at_most)
        if (low is None or found >= low) and (high is None or found <= high):
            return
        several = len(self.run)
        if several > 1:
            hint = (
                f"{count(several, 'call')} of `fit` went on from each other: a cell that is run "
                "again trains the same model further."
            )
        elif found < last.epochs:
            hint = f"`epochs={last.epochs}`, but training ended before: by a callback or an error?"
        else:
            hint = "Look at `epochs=` in `fit`."
        raise Unmet(
            expected=_range_words(low, high, "epoch"), received=count(found, "epoch"), hint=hint
        )

    def expect_batch_size(self, wanted: int) -> None:
        """Expect so many samples in each update.

        Example:
            ``fits.expect_batch_size(128)``
        """
        if self.by_hand:
            return
        found = self.last.batch_size
        if found is None or found == wanted:
            return  # a pipeline brings its own batches: what was not seen is not held against it
        raise Unmet(
            expected=f"batches of {wanted}",
            received=f"batches of {found}",
            hint=f"{KERAS_BATCH} is what Keras takes when `fit` is not told."
            if found == KERAS_BATCH
            else "Look at `batch_size=` in `fit`.",
        )

    def expect_updates(self, wanted: int) -> None:
        """Expect so many weight updates in the last training: one for each batch of each epoch.

        Example:
            ``fits.expect_updates(800)``
        """
        if self.by_hand:
            found = self._found.updates if self._found else wanted
        else:
            self._must_be_trained()
            found = sum(fit.updates for fit in self.run)
        if found == wanted or any(fit.stopped_by for fit in self.run):
            return
        raise Unmet(
            expected=count(wanted, "weight update"),
            received=f"{found:,}",
            hint="The optimizer counted them." if self.by_hand else _arithmetic(self.last),
        )

    def expect_optimizer(self, *wanted: str, learning_rate: float | None = None) -> None:
        """Expect one of these optimizers, perhaps with a learning rate.

        Args:
            wanted: Classes or Keras' names for them.
            learning_rate: The rate when training began; a schedule is another rate.

        Example:
            ``fits.expect_optimizer("RMSprop", learning_rate=1e-4)``
        """
        compiled = self._compiled
        if compiled is None:
            if self.by_hand:
                return
            raise _uncompiled("an optimizer")
        known = {_letters(name) for name in wanted}
        expected = " or ".join(wanted)
        if _letters(compiled.optimizer) not in known:
            raise Unmet(
                expected=f"the optimizer {expected}",
                received=compiled.optimizer,
                hint="Look at `optimizer=` in `compile`.",
            )
        if learning_rate is None or _same_rate(compiled, learning_rate):
            return
        raise Unmet(
            expected=f"{expected} with a learning rate of {learning_rate:g}",
            received=f"{compiled.optimizer} with {_rate_words(compiled)}",
            hint="Given by its name, an optimizer has its default rate; given as an object, the "
            "one it was made with.",
        )

    def expect_loss(self, *wanted: str) -> None:
        """Expect one of these losses, however it is spelled.

        Example:
            ``fits.expect_loss("mse")``
        """
        compiled = self._compiled
        if compiled is None:
            if self.by_hand:
                return
            raise _uncompiled("a loss")
        if meaning(compiled.loss) not in {meaning(name) for name in wanted}:
            raise Unmet(
                expected="the loss " + " or ".join(map(meaning, wanted)),
                received=compiled.loss or "no loss",
                hint="Look at `loss=` in `compile`.",
            )

    def expect_metric(self, *wanted: str) -> None:
        """Expect that one of these metrics was watched in training.

        Example:
            ``fits.expect_metric("accuracy")``
        """
        compiled = self._compiled
        if self.by_hand:
            return
        found = [meaning(name) for name in (*(compiled.metrics if compiled else ()),)]
        found += [meaning(name) for name in self.last.history]
        if not {meaning(name) for name in wanted} & set(found):
            shown = ", ".join(compiled.metrics) if compiled else ""
            raise Unmet(
                expected="the metric " + " or ".join(map(meaning, wanted)),
                received=shown or "no metrics",
                hint="Without metrics, `fit` and `evaluate` tell nothing but the loss: look at "
                "`compile`.",
            )


def _epochs(fit: FitRecord) -> int:
    if fit.stopped_by:
        return fit.epochs
    return max((len(values) for values in fit.history.values()), default=0)


def _range_words(low: int | None, high: int | None, thing: str) -> str:
    if low == high and low is not None:
        return count(low, thing)
    if high is None:
        return f"at least {count(low or 0, thing)}"
    return f"at most {count(high, thing)}" if low is None else f"{low:,} to {count(high, thing)}"


def _arithmetic(fit: FitRecord) -> str:
    """Show where the number of updates comes from, with the student's own numbers."""
    trained, batch = trained_samples(fit), fit.batch_size
    epochs = _epochs(fit)
    if not trained or not batch:
        return f"Updates are batches times epochs: {count(epochs, 'epoch')} here."
    return (
        f"An epoch has ⌈{trained:,} / {batch:,}⌉ = {count(math.ceil(trained / batch), 'update')}, "
        f"and there were {count(epochs, 'epoch')}."
    )


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _same_rate(compiled: CompileFacts, wanted: float) -> bool:
    found = compiled.learning_rate
    return found is not None and math.isclose(found, wanted, rel_tol=SAME_RATE)


def _rate_words(compiled: CompileFacts) -> str:
    if compiled.schedule:
        return f"the schedule {compiled.schedule}"
    return "an unknown rate" if compiled.learning_rate is None else f"{compiled.learning_rate:g}"


def _uncompiled(what: str) -> Unmet:
    return Unmet(
        expected=f"a model compiled with {what}",
        received="one that was not compiled",
        hint="Call `compile` before `fit`.",
    )
