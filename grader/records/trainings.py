"""What was trained and tested, with which arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayFacts:
    """What an array is, without the array."""

    shape: tuple[int | None, ...]
    """Axis lengths, samples first."""
    dtype: str
    """NumPy's name, e.g. ``"float32"``."""
    minimum: float | None = None
    """Smallest value; ``None`` when it was not looked at or is not a number."""
    maximum: float | None = None
    """Largest value."""
    mean: float | None = None
    """Mean value."""
    deviation: float | None = None
    """Standard deviation of all values; ``None`` for whole numbers."""
    one_hot: bool | None = None
    """Every row has a single 1 among zeros; ``None`` when it is no matrix."""
    sampled: bool = False
    """The values were read off a part of a large array."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFacts:
    """Whose rows an array holds: they are compared with the served data, scaled or not."""

    total: int
    """Rows of the array."""
    looked_at: int
    """How many of them were looked at, evenly spaced; the counts below are of these."""
    known: int
    """Rows that are in the served data."""
    from_test: int | None
    """How many of :attr:`total` were taken from the served test set, by their share and their
    order; ``None`` when neither tells."""
    repeated: int | None
    """Rows that stand in the array before; ``None`` when not all were looked at."""
    labelled: int
    """Known rows whose label could be read."""
    labels_right: int
    """How many of these labels are the rows' own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileFacts:
    """How a model was compiled, by canonical names."""

    loss: str
    """E.g. ``"categorical_crossentropy"``, whatever its spelling; ``""`` without one."""
    from_logits: bool | None
    """Whether the loss applies softmax or sigmoid itself; ``None`` when it has no such choice."""
    optimizer: str
    """Its class, e.g. ``"RMSprop"``."""
    learning_rate: float | None
    """Its rate when training began; ``None`` under a schedule."""
    schedule: str = ""
    """The class of a learning rate schedule."""
    metrics: tuple[str, ...] = ()
    """Canonical names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRecord:
    """One recorded call of ``fit``."""

    model: int
    """Which of :attr:`ExecutionRecord.models`."""
    cell: int
    """The cell it was called in, counted from 1."""
    compiled: CompileFacts | None
    """How the model was compiled at that moment."""
    x: ArrayFacts | None
    """The inputs; ``None`` for a generator."""
    y: ArrayFacts | None
    """The targets."""
    epochs: int
    """Epochs asked for."""
    batch_size: int | None
    """Samples in an update; ``None`` when the data brings its own batches."""
    updates: int
    """Weight updates made, counted by the optimizer."""
    validation: Literal["none", "split", "data"]
    """Where validation samples came from."""
    validation_split: float
    """The share held back by ``validation_split=``."""
    validation_x: ArrayFacts | None
    """The inputs of ``validation_data=``."""
    history: Mapping[str, tuple[float, ...]]
    """Metric → one value an epoch, as Keras recorded it."""
    completed: bool
    """Whether ``fit`` returned."""
    seconds: float
    """Wall time."""
    stopped_by: Literal["", "epochs", "seconds"] = ""
    """The training budget that ended it before its time; empty when none did."""
    continues: int | None = None
    """The model with whose trained weights it began, this one or another; ``None`` when they were
    new."""
    changed: bool | None = None
    """Whether the weights were others afterwards; ``None`` when nobody could tell."""
    rows: RowFacts | None = None
    """Whose rows it learnt from, those of ``validation_split=`` left out."""
    validation_rows: RowFacts | None = None
    """Whose rows it was validated on."""
    validation_shared: int | None = None
    """How many of the validation rows are training rows as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRecord:
    """One recorded call of ``evaluate`` or ``predict``; the validation within ``fit`` is none."""

    model: int
    """Which of :attr:`ExecutionRecord.models`."""
    cell: int
    """The cell it was called in, counted from 1."""
    after_fits: int
    """How many calls of ``fit`` the model had seen by then."""
    x: ArrayFacts | None
    """The inputs; ``None`` for a generator."""
    y: ArrayFacts | None
    """The targets."""
    samples: int | None
    """How many there were; ``None`` when the data brings its own batches."""
    results: Mapping[str, float]
    """Metric → value, by Keras' names; empty when it did not return, and of predictions."""
    completed: bool
    """Whether it returned."""
    rows: RowFacts | None = None
    """Whose rows it was evaluated on."""
    how: Literal["evaluate", "predict"] = "evaluate"
    """What was called; who predicts may count right answers by himself."""
