"""Checks of how a model was trained: recorded calls of ``fit``, their data and their history."""

import math
from collections.abc import Iterator, Mapping

from grader.checks.compatibility import mismatch
from grader.checks.curves import Curves
from grader.checks.protocol import Protocol
from grader.checks.recorded import range_words, trained_samples
from grader.checks.settings import Settings
from grader.checks.verdict import MissingFactError, Unmet, count
from grader.records import Task

LARGEST_SCALED = 20.0
"""Standardised pixels reach about three; raw ones 255."""
NEARLY_ZERO = 0.05
"""The mean of standardised data."""
SMALLEST_SCALED = 0.02
"""Pixels divided by 255 twice end at 0.004."""


class Training(Settings, Protocol, Curves):
    """The recorded trainings of the judged model, as checks see them."""

    def expect_trained(self, *, epochs: int = 1) -> None:
        """Expect at least so many epochs of training that ran to their end.

        Example:
            ``fits.expect_trained(epochs=5)``
        """
        if self.by_hand:
            return
        fit = self.last
        if self.epochs < epochs:
            unfinished = "" if fit.completed else " The last call of `fit` did not return."
            raise Unmet(
                expected=f"at least {count(epochs, 'epoch')} of training",
                received=f"{count(self.epochs, 'finished epoch')}",
                hint=f"Look at `epochs=`.{unfinished}",
            )
        losses = fit.history.get("loss", ())
        if losses and not math.isfinite(losses[-1]):
            first = next(n for n, loss in enumerate(losses, start=1) if not math.isfinite(loss))
            raise Unmet(
                expected="a loss that stays a number",
                received=f"a loss of {losses[first - 1]} from epoch {first} on",
                hint="Look at the last activation and the learning rate: a logarithm of 0, "
                "or steps that grow without bound, end so.",
            )

    def expect_output_loss_and_labels_match(self, task: Task) -> None:
        """Expect that the last activation, the loss and the labels belong together.

        Softmax with one-hot labels and categorical crossentropy, with integers and its sparse
        form, or a linear output with ``from_logits=True``: each is right.

        Example:
            ``fits.expect_output_loss_and_labels_match("multiclass")``
        """
        if self.by_hand and self._found is not None:
            compiled, labels = self._found.compiled, None
        else:
            compiled, labels = self.last.compiled, self.last.y
        card = self._card
        if compiled is None or card is None:
            raise Unmet(
                expected="a compiled model",
                received="one without a loss",
                hint="Call `compile` before `fit`.",
            )
        layers = card.learning_layers
        found = mismatch(
            task,
            layers[-1].activation if layers else "linear",
            compiled.loss,
            labels,
            units=card.output_shape[-1] or 1 if card.output_shape else 1,
            from_logits=bool(compiled.from_logits),
        )
        if found:
            raise Unmet(expected=found.expected, received=found.received, hint=found.why)

    def expect_scaled_inputs(self) -> None:
        """Expect inputs of moderate size: scaled before ``fit`` or by a layer of the model.

        Example:
            ``fits.expect_scaled_inputs()``
        """
        if self.by_hand:
            return
        facts = self.last.x
        first = self._card.layers[:2] if self._card else ()
        prepared = any(
            layer.role in ("preprocessing", "operation") or layer.kind == "BatchNormalization"
            for layer in first
        )
        if facts is None or facts.minimum is None or facts.maximum is None:
            return  # a pipeline brings its own batches: what was not seen is not held against it
        if not math.isfinite(facts.minimum + facts.maximum):
            raise Unmet(
                expected="inputs that are numbers",
                received=f"values of {range_words(facts)}",
                hint="A feature that never changes has no deviation: dividing by it gives NaN.",
            )
        largest = max(abs(facts.minimum), abs(facts.maximum))
        # Standardised feature by feature, a pixel that is lit once is far out; the mean is not.
        standardised = facts.minimum < 0 and abs(facts.mean or 0.0) < NEARLY_ZERO
        if prepared or standardised or SMALLEST_SCALED <= largest <= LARGEST_SCALED:
            return
        twice = largest < SMALLEST_SCALED
        raise Unmet(
            expected="inputs scaled to about 0…1",
            received=f"values of {range_words(facts)} ({facts.dtype})",
            hint="Were they divided twice, by a cell that ran twice or in two places?"
            if twice
            else "Divide by the largest value, or begin the model with a Rescaling layer.",
        )

    def expect_multi_hot_inputs(self, words: int) -> None:
        """Expect inputs that are 0 or 1 for each of so many words.

        Example:
            ``fits.expect_multi_hot_inputs(10_000)``
        """
        if self.by_hand:
            return
        facts = self.last.x
        if facts is None:
            return  # a pipeline brings its own batches: what was not seen is not held against it
        if facts.shape[1:] != (words,):
            raise Unmet(
                expected=f"vectors of {words:,} numbers",
                received=f"inputs of shape {facts.shape}",
                hint="Each review becomes one row with a place for each word.",
            )
        if facts.minimum is not None and (facts.minimum, facts.maximum) != (0.0, 1.0):
            raise Unmet(
                expected="zeros and ones",
                received=f"values of {range_words(facts)}",
                hint="A word that stands twice in a review counts once: set 1, do not add.",
            )

    def expect_samples(self, *, at_least: int, at_most: int | None = None) -> None:
        """Expect that so many samples were trained on.

        Args:
            at_least: Fewer are a part of the training data.
            at_most: More have something among them that was to be kept back.

        Example:
            ``fits.expect_samples(at_least=50_000)``
        """
        if self.by_hand:
            return
        trained = trained_samples(self.last)
        if trained is None:
            return
        if trained < at_least:
            raise Unmet(
                expected=f"at least {at_least:,} training samples",
                received=f"{trained:,}",
                hint="Was only a part of the training data used?",
            )
        if at_most is not None and trained > at_most:
            raise Unmet(
                expected=f"at most {at_most:,} training samples",
                received=f"{trained:,}",
                hint="Are some among them that were to be kept back for the test, or some twice?",
            )


class Trainings(Mapping[str, Training]):
    """The recorded trainings of every model, by its name, for checks that compare two."""

    def __init__(self, trainings: Mapping[str, Training]) -> None:
        self._trainings = trainings

    def __getitem__(self, name: str) -> Training:
        """Give one model's trainings.

        Raises:
            Unmet: There is no model of that name.
        """
        if name not in self._trainings:
            near = ", ".join(f"`{known}`" for known in sorted(self._trainings)[:10])
            raise MissingFactError(
                expected=f"a model called `{name}`",
                received=f"models called {near}" if near else "no models",
                hint="Keep the names that the handout gives.",
            )
        return self._trainings[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._trainings)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._trainings)
