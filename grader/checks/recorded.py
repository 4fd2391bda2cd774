"""What was recorded of a model's trainings, in the terms that checks are written in."""

import math
import re
from itertools import pairwise

from grader.checks.verdict import Unmet
from grader.records import ArrayFacts, CompileFacts, FitRecord, FoundModel, ModelCard


class Recorded:
    """The recorded trainings of one model."""

    def __init__(
        self,
        fits: tuple[FitRecord, ...],
        card: ModelCard | None,
        found: FoundModel | None = None,
    ) -> None:
        self.fits = fits
        """In order."""
        self._card = card
        self._found = found

    def __len__(self) -> int:
        """Count the calls."""
        return len(self.fits)

    @property
    def last(self) -> FitRecord:
        """The last training.

        Raises:
            Unmet: The model was never trained.
        """
        if not self.fits:
            raise Unmet(
                expected="a call of `fit` on the model",
                received="none",
                hint="A model knows nothing before it is trained.",
            )
        return self.fits[-1]

    def _must_be_trained(self) -> None:
        """Raise what :attr:`last` raises."""
        _ = self.last

    @property
    def by_hand(self) -> bool:
        """Whether the model was trained without ``fit``, in a loop of the student's own.

        Nothing was recorded of its data then, and what was not seen is not held against anybody.
        """
        return not self.fits and self._found is not None and self._found.updates > 0

    @property
    def epochs(self) -> int:
        """Epochs that were finished, over all trainings."""
        return sum(
            max((len(values) for values in fit.history.values()), default=0) for fit in self.fits
        )

    @property
    def updates(self) -> int:
        """Weight updates over all trainings."""
        return sum(fit.updates for fit in self.fits)

    @property
    def run(self) -> tuple[FitRecord, ...]:
        """The last training, whole: with the calls of ``fit`` that it goes on from."""
        first = len(self.fits) - 1
        while first > 0 and self.fits[first].continues == self.fits[first].model:
            first -= 1
        return self.fits[max(first, 0) :]

    @property
    def calls(self) -> tuple[FitRecord, ...]:
        """The last training as it was written: the calls of one loop belong together."""
        first = len(self.fits) - 1
        for before, after in reversed(list(pairwise(self.run))):
            if (before.cell, before.epochs, before.batch_size) != (
                after.cell,
                after.epochs,
                after.batch_size,
            ):
                break
            first -= 1
        return self.fits[max(first, 0) :]

    def series(self, metric: str) -> tuple[float, ...]:
        """A metric's values over the last training, one an epoch; empty when it has none.

        Args:
            metric: Its name, ``"val_…"`` on validation samples; what means the same is the same.
        """
        return tuple(value for fit in self.run for value in curve(fit, metric))

    @property
    def _compiled(self) -> CompileFacts | None:
        """How the model was compiled when it was trained; ``None`` when that is not known."""
        if self.by_hand and self._found is not None:
            return self._found.compiled
        return self.last.compiled


def curve(fit: FitRecord, metric: str) -> tuple[float, ...]:
    """Give a metric's values over one call of ``fit``; empty when it has none."""
    wanted = meaning(metric)
    return next((values for name, values in fit.history.items() if meaning(name) == wanted), ())


_ALIASES = {
    "acc": "accuracy",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "cce": "categorical_crossentropy",
    "scce": "sparse_categorical_crossentropy",
}


def meaning(name: str) -> str:
    """Give the one name for what has several: ``"acc"`` and ``"binary_accuracy"`` are accuracy.

    Args:
        name: Of a loss, a metric or an optimizer, as a text or a class, perhaps with ``val_``.
    """
    prefix = "val_" if name.startswith("val_") else ""
    bare = name.removeprefix(prefix)
    if not bare.islower():
        bare = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare).lower()
    return prefix + _ALIASES.get(bare, bare)


def samples(facts: ArrayFacts | None) -> int | None:
    """How many samples an array holds."""
    return facts.shape[0] if facts and facts.shape else None


def trained_samples(fit: FitRecord) -> int | None:
    """How many samples a training learnt from: Keras keeps the last ones back for a split."""
    given = samples(fit.x)
    if given is None or fit.validation == "data":
        return given
    return math.floor(given * (1 - fit.validation_split))


def validation_samples(fit: FitRecord) -> int | None:
    """How many samples a training was validated on."""
    if fit.validation == "split":
        given, trained = samples(fit.x), trained_samples(fit)
        return None if given is None or trained is None else given - trained
    return samples(fit.validation_x)


def range_words(facts: ArrayFacts) -> str:
    """``0…255``; an end that nobody told is a question mark."""
    low, high = ("?" if end is None else f"{end:.4g}" for end in (facts.minimum, facts.maximum))
    return f"{low}…{high}"
