"""Predictions × labels → Measurement; the one place where the two meet."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from grader.assignment import Assignment
from grader.datasets import Dataset
from grader.records import Measurement, ModelCard, Predictions, Task

Rows = NDArray[np.float32]
Z = 1.959963984540054
"""Of the 95 % interval."""


def measure(
    card: ModelCard, assignment: Assignment, dataset: Dataset, answers_of: Callable[[str], bytes]
) -> Measurement | None:
    """Compare the model's answers with the labels; ``None`` when the assignment has no data.

    Where several forms of the inputs fitted, the best counts. A non-finite answer is wrong.

    Args:
        card: Names the predictions.
        assignment: Says what the output means.
        dataset: Has the labels.
        answers_of: Gives the bytes of the answers with a SHA-256.
    """
    model = assignment.settings.model
    if model is None or assignment.settings.data is None:
        return None
    labels = dataset.labels()
    if not card.predictions:
        return Measurement(
            metric="accuracy",
            value=None,
            samples=len(labels),
            problem=card.judge_problem,
        )
    width = card.predictions[0].shape[1]
    if problem := _wrong_width(width, model.task, model.classes):
        return Measurement(metric="accuracy", value=None, samples=len(labels), problem=problem)
    tried: dict[str, float] = {}
    best: tuple[float, Predictions, Rows, NDArray[np.int64]] | None = None
    for predictions in card.predictions:
        rows = _rows(predictions, answers_of(predictions.sha256))
        answers = classes(rows, logits=_gives_logits(card))
        share = float((np.isfinite(rows).all(axis=1) & (answers == labels)).mean())
        tried[predictions.form] = share
        if best is None or share > best[0]:
            best = (share, predictions, rows, answers)
    if best is None:  # pragma: no cover - there is at least one form here
        raise AssertionError
    share, predictions, rows, answers = best
    low, high = wilson(share, len(labels))
    right = np.isfinite(rows).all(axis=1) & (answers == labels)
    per_class = tuple(float(right[labels == label].mean()) for label in np.unique(labels))
    return Measurement(
        metric="accuracy",
        value=share,
        samples=len(labels),
        low=low,
        high=high,
        form=predictions.form,
        tried=tried,
        non_finite=int((~np.isfinite(rows).all(axis=1)).sum()),
        per_class=per_class,
        constant=bool((answers == answers[0]).all()),
        predictions_sha256=predictions.sha256,
    )


def _rows(predictions: Predictions, answers: bytes) -> Rows:
    """The answers as an array of shape ``(samples, width)``."""
    return np.frombuffer(answers, "<f4").reshape(predictions.shape)


def classes(rows: Rows, *, logits: bool) -> NDArray[np.int64]:
    """The class each row stands for: the largest of several numbers, or one number's threshold.

    Args:
        rows: Shape ``(samples, width)``.
        logits: One number is a logit (threshold 0), not a probability (threshold 0.5).
    """
    if rows.shape[1] == 1:
        return (rows[:, 0] > (0.0 if logits else 0.5)).astype(np.int64)
    answers: NDArray[np.int64] = np.where(np.isnan(rows), -np.inf, rows).argmax(axis=1)
    return answers


def _gives_logits(card: ModelCard) -> bool:
    last = card.learning_layers[-1:]
    return bool(
        last and last[0].activation == "linear" and card.compiled and card.compiled.from_logits
    )


def _wrong_width(width: int, task: Task, wanted: int) -> str:
    fits = width in (1, 2) if task == "binary" else width == wanted
    if fits:
        return ""
    numbers = "number" if width == 1 else "numbers"
    need = "1" if task == "binary" else str(wanted)
    return f"The model gives {width} {numbers} for each sample; this task needs {need}."


def wilson(share: float, samples: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927), as two shares."""
    centre = share + Z * Z / (2 * samples)
    half = Z * math.sqrt(share * (1 - share) / samples + Z * Z / (4 * samples * samples))
    scale = 1 + Z * Z / samples
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
