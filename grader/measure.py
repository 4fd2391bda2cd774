"""Predictions × labels → Measurement; the one place where the two meet."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.assignment import Assignment
from grader.datasets import Dataset
from grader.records import Measurement, Metric, ModelCard, Predictions, Task
from grader.settings import ModelWanted

Rows = NDArray[np.float32]
NOTHING_HELD_OUT = "No held-out samples are here: it is measured when the work is graded"
Z = 1.959963984540054
"""Of the 95 % interval."""
LEARNT = 0.25
"""A model that nobody trained has not come so far from chance to all right."""


def measure(
    card: ModelCard, assignment: Assignment, dataset: Dataset, answers_of: Callable[[str], bytes]
) -> Measurement | None:
    """Compare the model's answers with the labels; ``None`` when the assignment has no data.

    Where several forms of the inputs fitted, the best counts. A non-finite answer is wrong, and
    leaves no mean of errors.

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
    metric = metric_of(model)
    nothing = Measurement(metric=metric, value=None, samples=len(labels), where=card.where)
    if not len(labels):
        return replace(nothing, problem=NOTHING_HELD_OUT)
    if not card.predictions:
        return replace(nothing, problem=card.judge_problem)
    for predictions in card.predictions:
        if problem := _wrong_width(predictions.shape[1], model.task, model.classes):
            return replace(nothing, problem=problem)
    each = []
    for predictions in card.predictions:
        rows = _rows(predictions, answers_of(predictions.sha256))
        if metric == "accuracy":
            found = _accuracy(rows, labels, logits=_gives_logits(card))
        else:
            found = _error(rows, labels)
        each.append(
            replace(
                found,
                form=predictions.form,
                predictions_sha256=predictions.sha256,
                where=card.where,
            )
        )
    best = max(each, key=worth)
    tried = {found.form: found.value for found in each if found.value is not None}
    return replace(best, tried=tried)


def metric_of(model: ModelWanted) -> Metric:
    """What a model of this task is measured by."""
    return "mean_squared_error" if model.task == "regression" else "accuracy"


def as_read(metric: Metric, value: float) -> str:
    """Write a measured value as people read it: ``"97.89 %"``, or an error as ``"0.00312"``."""
    return f"{100 * value:.2f} %" if metric == "accuracy" else f"{value:.3g}"


def worth(measurement: Measurement) -> float:
    """Give a number that is larger for a better model; of nothing measured, the smallest."""
    if measurement.value is None:
        return -math.inf
    return measurement.value if measurement.metric == "accuracy" else -measurement.value


def has_learnt(measurement: Measurement | None) -> bool:
    """Whether a model is so much better than chance that somebody must have trained it."""
    if measurement is None or measurement.metric != "accuracy" or measurement.low is None:
        return False
    chance = 1 / max(2, len(measurement.per_class))
    return measurement.low > chance + LEARNT * (1 - chance)


def _accuracy(rows: Rows, labels: NDArray[Any], *, logits: bool) -> Measurement:
    answers = classes(rows, logits=logits)
    finite = _all_finite(rows)
    right = finite & (answers == labels)
    share = float(right.mean())
    low, high = wilson(share, len(labels))
    # Whole numbers from 0, as grader.supply sees to; a class without a sample has no share.
    numbers = labels.astype(np.int64, copy=False)
    of_class = np.bincount(numbers)
    right_of_class = np.bincount(numbers, weights=right)
    there = of_class > 0
    return Measurement(
        metric="accuracy",
        value=share,
        samples=len(labels),
        low=low,
        high=high,
        non_finite=int((~finite).sum()),
        per_class=tuple((right_of_class[there] / of_class[there]).tolist()),
        constant=bool((answers == answers[0]).all()),
        answered=int(np.count_nonzero(np.bincount(answers))),
    )


def _error(rows: Rows, labels: NDArray[Any]) -> Measurement:
    """The mean of the squared errors, with a normal 95 % interval of that mean."""
    wrong = int((~np.isfinite(rows).all(axis=1)).sum())
    nothing = Measurement(
        metric="mean_squared_error", value=None, samples=len(labels), non_finite=wrong
    )
    if wrong:
        return replace(nothing, problem=f"{wrong:,} answers are not numbers (NaN or infinite).")
    errors = ((rows.astype(np.float64) - labels.reshape(rows.shape)) ** 2).mean(axis=1)
    mean = float(errors.mean())
    half = Z * float(errors.std()) / math.sqrt(len(errors))
    return replace(
        nothing,
        value=mean,
        low=max(0.0, mean - half),
        high=mean + half,
        constant=bool((rows == rows[0]).all()),
    )


def _all_finite(rows: Rows) -> NDArray[np.bool_]:
    """Which rows hold only numbers; for one answer in many a short question tells that all do."""
    finite = np.isfinite(rows)
    return np.ones(len(rows), np.bool_) if finite.all() else np.all(finite, axis=1)


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
    unknown = np.isnan(rows)
    numbers = np.where(unknown, -np.inf, rows) if unknown.any() else rows
    answers: NDArray[np.int64] = numbers.argmax(axis=1)
    return answers


def _gives_logits(card: ModelCard) -> bool:
    if not card.layers:  # they could not be read: what the loss was told is all that is known
        return bool(card.compiled and card.compiled.from_logits)
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
