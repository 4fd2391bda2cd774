"""Checks of what a training was fed with: validation, test data, labels, new weights."""

from typing import Literal

from grader.checks.recorded import Recorded, validation_samples
from grader.checks.verdict import Unmet, count
from grader.records import RowFacts

A_FEW = 0.01
"""A share that may be chance: a few examples occur twice in the data itself."""


class Protocol(Recorded):
    """The recorded trainings, asked for their data.

    Rows are recognised however they were scaled or reshaped. Where they are not, as in a pipeline
    or after standardising each feature, nothing is known of them and nothing is held against them.
    """

    def expect_validation(
        self, how: Literal["split", "data", "any"] = "any", *, samples: int | None = None
    ) -> None:
        """Expect that the last training was validated, perhaps on so many samples.

        Args:
            how: ``"split"`` for ``validation_split=``, ``"data"`` for ``validation_data=``.
            samples: How many, exactly.

        Example:
            ``fits.expect_validation(samples=10_000)``
        """
        if self.by_hand:
            return
        fit = self.last
        if fit.validation == "none" or how not in ("any", fit.validation):
            wanted = {"split": "`validation_split=`", "data": "`validation_data=`"}.get(how)
            raise Unmet(
                expected=f"validation by {wanted}" if wanted else "validation in `fit`",
                received="none" if fit.validation == "none" else f"`validation_{fit.validation}=`",
                hint="Without it nothing shows when the network begins to learn by heart.",
            )
        found = validation_samples(fit)
        if samples is not None and found is not None and found != samples:
            raise Unmet(
                expected=count(samples, "validation sample"),
                received=f"{found:,}",
                hint=f"`validation_split={fit.validation_split:g}` is a share of the samples."
                if fit.validation == "split"
                else "Look at what was kept back.",
            )

    def expect_validation_apart_from_training(self) -> None:
        """Expect that no validation sample was trained on.

        Example:
            ``fits.expect_validation_apart_from_training()``
        """
        if self.by_hand:
            return
        fit = self.last
        held, shared = fit.validation_rows, fit.validation_shared
        if held is None or shared is None or shared <= A_FEW * held.total:
            return
        raise Unmet(
            expected="validation samples that were not trained on",
            received=f"{shared:,} of {count(held.total, 'validation sample')} were trained on too",
            hint="Such a validation shows what the network remembers, not what it has understood.",
        )

    def expect_no_test_data_in_training(self) -> None:
        """Expect that nothing of the test set was trained on.

        Example:
            ``fits.expect_no_test_data_in_training()``
        """
        if self.by_hand:
            return
        self._must_be_trained()
        for fit in self.run:
            taken = _taken(fit.rows)
            if taken and fit.rows:
                raise Unmet(
                    expected="training on training data alone",
                    received=f"{taken:,} of {count(fit.rows.total, 'training sample')} are from "
                    "the test set",
                    hint="What was trained on can test nothing any more.",
                )

    def expect_test_not_used_for_validation(self) -> None:
        """Expect that the test set was kept for the end.

        Example:
            ``fits.expect_test_not_used_for_validation()``
        """
        if self.by_hand:
            return
        self._must_be_trained()
        for fit in self.run:
            taken = _taken(fit.validation_rows)
            if taken and fit.validation_rows:
                raise Unmet(
                    expected="validation on samples kept back from the training data",
                    received=f"{taken:,} of {count(fit.validation_rows.total, 'sample')} are from "
                    "the test set",
                    hint="Whoever chooses epochs or layers by the test set has none left to test "
                    "the choice.",
                )

    def expect_labels_belong_to_rows(self) -> None:
        """Expect that each sample was trained, and validated, with its own label.

        Example:
            ``fits.expect_labels_belong_to_rows()``
        """
        if self.by_hand:
            return
        fit = self.last
        for rows, what in ((fit.rows, "training"), (fit.validation_rows, "validation")):
            if rows is None or rows.labelled < rows.looked_at / 2:
                continue
            if rows.labels_right < (1 - A_FEW) * rows.labelled:
                share = rows.labels_right / rows.labelled
                raise Unmet(
                    expected=f"{what} samples with their own labels",
                    received=f"{100 * share:.1f} % of {rows.labelled:,} have theirs",
                    hint="Whatever puts the samples into another order must put the labels into "
                    "the same.",
                )

    def expect_fresh_model(self) -> None:
        """Expect that the training began with new weights and did not go on from another one.

        Calls of ``fit`` in one loop are one training.

        Example:
            ``fits.expect_fresh_model()``
        """
        if self.by_hand:
            return
        self._must_be_trained()
        first = self.calls[0]
        if first.continues is None:
            return
        own = first.continues == first.model
        raise Unmet(
            expected="a training that begins with new weights",
            received="one that goes on from the training before"
            if own
            else "one that begins with the weights of another trained model",
            hint="A second `fit`, or a cell that is run twice, goes on where the first ended: the "
            "weights are made when the model is built.",
        )


def _taken(rows: RowFacts | None) -> int:
    """How many rows are from the test set, chance left out."""
    taken = (rows.from_test or 0) if rows else 0
    return taken if rows and taken > A_FEW * rows.total else 0
