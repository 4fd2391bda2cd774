"""Checks of how a model was tested: recorded calls of ``evaluate``, and of ``predict``."""

from grader.checks.recorded import Recorded
from grader.checks.verdict import MissingFactError, Unmet, count
from grader.records import ArrayFacts, EvaluationRecord

MOST = 0.9
"""The share of rows that makes a test set."""
LIKE = 5.0
"""Factor by which the largest values of two samples of the same data may differ."""
BELOW = 0.05
"""The share of the largest value below which a minimum is no negative number."""


class Evaluations:
    """The recorded evaluations of the judged model, as checks see them."""

    def __init__(self, evaluations: tuple[EvaluationRecord, ...], fits: Recorded) -> None:
        self.evaluations = tuple(one for one in evaluations if one.how == "evaluate")
        """Calls of ``evaluate``, in order."""
        self.tests = evaluations
        """Calls of ``evaluate`` and ``predict``, in order."""
        self._fits = fits

    def __len__(self) -> int:
        """Count the calls."""
        return len(self.evaluations)

    @property
    def after_training(self) -> tuple[EvaluationRecord, ...]:
        """Those that came after the model's last ``fit`` and returned, predictions as well."""
        return tuple(
            one for one in self.tests if one.completed and one.after_fits >= len(self._fits.fits)
        )

    @property
    def last(self) -> EvaluationRecord:
        """The last evaluation.

        Raises:
            Unmet: The model was never evaluated.
        """
        if not self.evaluations:
            raise MissingFactError(
                expected="a call of `evaluate` on the model",
                received="none",
                hint="How good a model is, samples tell that it has never seen.",
            )
        return self.evaluations[-1]

    def expect_after_training(self) -> None:
        """Expect that the model was evaluated when its training was over.

        Whoever calls ``predict`` and counts has evaluated it as well.

        Example:
            ``evaluations.expect_after_training()``
        """
        if self._unseen:
            return
        if not self.after_training:
            last = self.tests[-1] if self.tests else self.last
            raise Unmet(
                expected="a call of `evaluate` after the last `fit`",
                received=f"the last one in cell {last.cell}, before `fit` was called in cell "
                f"{self._fits.last.cell}"
                if last.completed
                else "one that raised an error",
                hint="What was measured before says nothing about what was learnt since.",
            )

    def expect_on_test(self, *, samples: int | None = None) -> None:
        """Expect that the trained model was evaluated on the test set, perhaps on all of it.

        Example:
            ``evaluations.expect_on_test(samples=10_000)``
        """
        if self._unseen:
            return
        self.expect_after_training()
        found = self.after_training
        if any(_may_be_test(one) and _as_many(one, samples) for one in found):
            return
        last = next((one for one in reversed(found) if _may_be_test(one)), found[-1])
        if _may_be_test(last) and samples is not None:
            raise Unmet(
                expected=f"an evaluation on all {samples:,} test samples",
                received=count(last.samples or 0, "sample"),
                hint="The fewer samples, the more a result owes to chance.",
            )
        raise Unmet(
            expected="an evaluation on the test set",
            received=f"one on {count(last.samples or 0, 'sample')} that are not from the test set",
            hint="What served for training or for choosing the model flatters it.",
        )

    def expect_scaled_like_training(self) -> None:
        """Expect that the model was tested on inputs of the same size as it was trained on.

        A test set that nobody divided by 255 hardly lowers the accuracy of a dense network: only
        the loss, or its inputs, show it.

        Example:
            ``evaluations.expect_scaled_like_training()``
        """
        if self._unseen or not self._fits.fits:
            return
        trained, tests = self._fits.last.x, self.after_training
        # Whoever evaluates may look at a single sample besides, as it is.
        found = [one for one in tests if one.how == "evaluate"] or tests
        for place, one in enumerate(found):
            mended = any(
                later.samples == one.samples and not _scaled_apart(trained, later.x)
                for later in found[place + 1 :]
            )
            if trained and one.x and _scaled_apart(trained, one.x) and not mended:
                raise Unmet(
                    expected=f"test inputs of {_range(trained)}, as in training",
                    received=f"inputs of {_range(one.x)}",
                    hint="Whatever is done to the training inputs must be done to those of the "
                    "test, with the same numbers.",
                )

    @property
    def _unseen(self) -> bool:
        """Whether the student may have tested as he trained: in a loop of his own."""
        return self._fits.by_hand and not self.tests


def _may_be_test(one: EvaluationRecord) -> bool:
    """Whether the rows are from the test set, or nobody knows whose they are."""
    rows = one.rows
    if rows is None or rows.from_test is None or rows.known < MOST * rows.looked_at:
        return True
    return rows.from_test >= MOST * rows.total


def _as_many(one: EvaluationRecord, samples: int | None) -> bool:
    return samples is None or one.samples is None or one.samples == samples


def _scaled_apart(trained: ArrayFacts | None, tested: ArrayFacts | None) -> bool:
    if trained is None or tested is None:
        return False
    known = (trained.minimum, trained.maximum, tested.minimum, tested.maximum)
    low, high, test_low, test_high = (value if value is not None else 0.0 for value in known)
    size, test_size = max(abs(low), abs(high)), max(abs(test_low), abs(test_high))
    if not size or not test_size:
        return False
    if max(size / test_size, test_size / size) > LIKE:
        return True
    # Standardised inputs go below zero, scaled ones do not.
    return (low < -BELOW * size) != (test_low < -BELOW * test_size)


def _range(facts: ArrayFacts) -> str:
    return f"{facts.minimum or 0.0:.4g}…{facts.maximum or 0.0:.4g}"
