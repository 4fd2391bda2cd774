"""The values that flow from stage to stage: what was handed in, what happened, what it is worth.

Every class is frozen. A stage takes the record before it and returns the next one::

    Submission → ExecutionRecord → ModelCard → Measurement → Evidence → CheckResult… → Report

A shape is a tuple with ``None`` for the batch, as Keras prints it: ``(None, 28, 28, 1)``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Shape = tuple[int | None, ...]
"""Axis lengths, batch first."""

RunEnding = Literal[
    "finished",
    "raised",
    "exited",
    "timeout",
    "memory",
    "output",
    "processes",
    "disk",
    "killed",
    "unreadable",
]
"""How the execution of a submission ended.

``finished``: every cell ran; ``raised``: at least one cell raised, the others ran;
``exited``: the code ended its own process before the last cell; ``timeout``, ``memory``,
``output``, ``processes``, ``disk``: the limit of that name was hit; ``killed``: a signal that was
not ours; ``unreadable``: nothing could be run.
"""

CellOutcome = Literal["ok", "raised", "syntax", "exited", "stopped", "not_run"]
"""What became of one cell; ``stopped`` is the one that was running when the run was ended."""

CheckOutcome = Literal["passed", "failed", "skipped", "broken"]
"""``skipped``: not judged, worth 0, with a reason; ``broken``: our fault, outside both sums."""

GivenKind = Literal[
    "array",
    "tensor",
    "number",
    "boolean",
    "text",
    "none",
    "list",
    "tuple",
    "dict",
    "model",
    "name",
    "other",
]
"""What a value of the student's is; ``name``: a function, a class, or an object of Keras'."""

ProbeOutcome = Literal[
    "answered", "raised", "missing", "no_function", "timeout", "ended", "unanswered"
]
"""``missing``: no such name; ``ended``: the process died of it; ``unanswered``: it was not asked,
because the run had ended before."""

Task = Literal["multiclass", "binary", "multilabel", "regression"]
"""What a model's output means."""

Metric = Literal["accuracy", "mean_squared_error"]
"""What a model is measured by: of classes, the share answered right."""

Role = Literal["layer", "plumbing", "preprocessing", "regularisation", "operation"]
"""What a layer is there for: learning, reshaping, preparing input, regularising, arithmetic."""


# ------------------------------------------------------------------ what was handed in


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One student's work, read but not run."""

    student: str
    """Who handed it in: unique in its batch, safe as a folder name."""
    origin: str
    """The path it came from, for people."""
    kind: Literal["notebook", "script"]
    """How it is run: cell after cell, or from top to bottom."""
    cells: tuple[str, ...] = ()
    """The source of each code cell; a script without cell marks is one cell."""
    notebook: Mapping[str, Any] = field(default_factory=dict)
    """The notebook as read (format 4, outputs dropped); for a script, one made of its cells."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Files handed in beside it, by relative POSIX path."""
    problem: str = ""
    """Why it cannot be run; empty when it can."""
    notes: tuple[str, ...] = ()
    """What was noticed while reading it."""


# ------------------------------------------------------------------ what happened


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorFacts:
    """An exception in the student's code, in the student's terms."""

    kind: str
    """The exception's class, e.g. ``"ValueError"``."""
    message: str
    """Its text."""
    line: int | None
    """Line within the cell, counted from 1."""
    traceback: str
    """The frames that are the student's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRecord:
    """What one code cell did."""

    number: int
    """Counted from 1, code cells only."""
    outcome: CellOutcome
    """What became of it."""
    seconds: float
    """Wall time."""
    error: ErrorFacts | None = None
    """The exception, when it raised."""
    outputs: tuple[Mapping[str, Any], ...] = ()
    """Notebook outputs (format 4)."""


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
    rows: RowFacts | None = None
    """Whose rows it learnt from, those of ``validation_split=`` left out."""
    validation_rows: RowFacts | None = None
    """Whose rows it was validated on."""
    validation_shared: int | None = None
    """How many of the validation rows are training rows as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRecord:
    """One recorded call of ``evaluate``; the validation within ``fit`` is none."""

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
    """Metric → value, by Keras' names; empty when it did not return."""
    completed: bool
    """Whether ``evaluate`` returned."""
    rows: RowFacts | None = None
    """Whose rows it was evaluated on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRecord:
    """One line of a plot."""

    label: str
    """Its name in a legend; empty without one."""
    points: int
    """How many it has."""
    y: tuple[float, ...] = ()
    """Their heights; empty when there are too many to keep."""
    first: float | None = None
    """Height of the first."""
    last: float | None = None
    """Height of the last."""
    minimum: float | None = None
    """The lowest."""
    maximum: float | None = None
    """The highest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxesRecord:
    """One plot of a figure."""

    title: str
    """What stands above it."""
    x_label: str
    """What stands along the horizontal axis."""
    y_label: str
    """What stands along the vertical axis."""
    legend: tuple[str, ...]
    """The legend's entries; none without a legend."""
    lines: tuple[LineRecord, ...]
    """In the order in which they were drawn."""
    images: int
    """Pictures and heat maps."""
    bars: int
    """Bars, those of histograms included."""
    dots: int
    """Dots of scatter plots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRecord:
    """A figure that was shown, or was still open when its cell ended."""

    cell: int
    """The cell it was seen in, counted from 1."""
    title: str
    """What stands above all its plots."""
    axes: tuple[AxesRecord, ...]
    """Its plots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundModel:
    """A Keras model seen in the student's process."""

    number: int
    """Its place in :attr:`ExecutionRecord.models`."""
    variables: tuple[str, ...]
    """The student's names for it when the run ended."""
    kind: Literal["sequential", "functional", "subclassed", "unknown"]
    """How it was written; unknown after a sudden end."""
    compiled: CompileFacts | None
    """How it was last compiled."""
    fits: int
    """How many recorded calls of ``fit`` it saw."""
    updates: int = 0
    """Weight updates its optimizer has made, in ``fit`` or in a loop of the student's own."""
    artefact: str = ""
    """The SHA-256 of its ``.keras`` archive; empty when it could not be saved."""
    problem: str = ""
    """Why it could not be saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenValue:
    """A value of the student's, as plain data."""

    kind: GivenKind
    """What it is."""
    type: str
    """Its class, e.g. ``"ndarray"``."""
    shape: tuple[int, ...] | None = None
    """Axis lengths of an array, or of regularly nested lists of numbers; ``()`` for a number."""
    dtype: str = ""
    """NumPy's name; of lists, what NumPy would make of them."""
    numbers: tuple[int | float, ...] | None = None
    """All numbers, last axis fastest; ``None`` when there are none or too many."""
    minimum: float | None = None
    """Smallest of an array's numbers, also of one too large to be given."""
    maximum: float | None = None
    """Largest."""
    mean: float | None = None
    """Mean."""
    std: float | None = None
    """Standard deviation."""
    text: str = ""
    """A text; of a function, class or Keras object its canonical name."""
    keys: tuple[str, ...] = ()
    """Of a dictionary."""
    items: tuple["GivenValue", ...] = ()
    """Members of a dictionary, and of a list or tuple that is no regular array of numbers."""
    layers: tuple[str, ...] = ()
    """The layers' classes, of a Keras model."""
    params: int | None = None
    """All parameters of a Keras model."""
    cut: bool = False
    """Something was left out, because there is too much of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeStep:
    """One call of a student's function."""

    value: GivenValue
    """What it gave back."""
    mutated: tuple[str, ...] = ()
    """Which of its arguments it changed: places from 0, or names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswer:
    """What came of one probe."""

    outcome: ProbeOutcome
    """How it ended."""
    steps: tuple[ProbeStep, ...] = ()
    """What was answered before that; one step for each call."""
    error: ErrorFacts | None = None
    """The exception, when it raised."""
    problem: str = ""
    """What was not as it should be."""
    functions: tuple[str, ...] = ()
    """The functions that the student defined, when the wanted one was not found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRecord:
    """What a submission did when it ran. All of it was said by the student's process."""

    ending: RunEnding
    """How the run ended."""
    cells: tuple[CellRecord, ...] = ()
    """One for each code cell."""
    models: tuple[FoundModel, ...] = ()
    """Every model compiled, fitted or named."""
    chosen: int | None = None
    """The model to be judged, as a place in :attr:`models`."""
    fits: tuple[FitRecord, ...] = ()
    """Every recorded call of ``fit``, in order."""
    evaluations: tuple[EvaluationRecord, ...] = ()
    """Every recorded call of ``evaluate``, in order."""
    variables: Mapping[str, ArrayFacts] = field(default_factory=dict)
    """Facts of the arrays that had a name when the run ended."""
    probes: Mapping[str, ProbeAnswer] = field(default_factory=dict)
    """What each probe was answered; kept apart from the run, so that one may be added."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Numbers, texts and small collections that had a name when the run ended, as JSON data."""
    figures: tuple[FigureRecord, ...] = ()
    """What was plotted, in order."""
    stdout: str = ""
    """What was printed past Python's own streams."""
    stderr: str = ""
    """The same for the error stream."""
    notes: tuple[str, ...] = ()
    """What a reader of the report should know."""
    seconds: float = 0.0
    """Wall time of the run."""
    cpu_s: float = 0.0
    """Processor seconds of the run, as far as they could be seen."""
    peak_memory: int = 0
    """Highest memory seen, bytes."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Versions, seed, threads, determinism inside the sandbox."""
    problem: str = ""
    """Why there is nothing to judge, in the student's terms."""

    @property
    def found(self) -> FoundModel | None:
        """The chosen model."""
        return None if self.chosen is None else self.models[self.chosen]


# ------------------------------------------------------------------ what it is


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCard:
    """One layer in normal form."""

    name: str
    """The student's or Keras' name for it."""
    kind: str
    """Its class, e.g. ``"Dense"``."""
    role: Role
    """What it is there for."""
    units: int | None
    """Units of a dense or recurrent layer, filters of a convolution."""
    activation: str
    """Canonical name, ``"linear"`` without one; an activation layer behind it is folded in here."""
    input_shape: Shape
    """What it takes."""
    output_shape: Shape
    """What it gives."""
    trainable_params: int
    """Parameters that training changes."""
    non_trainable_params: int
    """Parameters that it does not."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Other arguments by Keras' names: ``use_bias``, ``rate``, ``kernel_size``, …"""

    @property
    def params(self) -> int:
        """All its parameters."""
        return self.trainable_params + self.non_trainable_params


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What the model answered to the held-out inputs in one form."""

    form: str
    """How the inputs were presented, e.g. ``"vectors of 784, scaled to 0…1"``."""
    shape: tuple[int, int]
    """Samples, numbers a sample."""
    sha256: str
    """Hash of the rows, which are raw little-endian float32; the evidence store has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One description for every way of building a model."""

    layers: tuple[LayerCard, ...]
    """In topological order, nested models inlined, input layers dropped, activations folded in."""
    input_shape: Shape
    """What the model takes."""
    output_shape: Shape
    """What it gives."""
    trainable_params: int
    """Parameters that training changes, shared ones counted once; never the optimizer's."""
    non_trainable_params: int
    """Parameters that it does not."""
    compiled: CompileFacts | None
    """Loss, optimizer and metrics by canonical names."""
    predictions: tuple[Predictions, ...] = ()
    """Answers to the held-out inputs, one entry for each form that was tried."""
    judge_problem: str = ""
    """Why there are no predictions, from a fixed vocabulary."""

    @property
    def params(self) -> int:
        """All parameters."""
        return self.trainable_params + self.non_trainable_params

    @property
    def learning_layers(self) -> tuple[LayerCard, ...]:
        """The layers that learn or compute: no plumbing, preprocessing or regularisation."""
        return tuple(layer for layer in self.layers if layer.role == "layer")


# ------------------------------------------------------------------ how good it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """How good a model is on held-out data that the student's code could not reach."""

    metric: Metric
    """What was measured."""
    value: float | None
    """The share of samples answered right, or the mean of the squared errors; ``None`` when nothing
    could be measured."""
    samples: int
    """How many there were."""
    low: float | None = None
    """Lower end of the 95 % interval (of a share: Wilson; of a mean: normal)."""
    high: float | None = None
    """Upper end."""
    form: str = ""
    """How the inputs were presented."""
    tried: Mapping[str, float] = field(default_factory=dict)
    """Each form's value, when more than one fitted."""
    non_finite: int = 0
    """Samples whose answer was NaN or infinite: they are wrong, and leave no mean of errors."""
    per_class: tuple[float, ...] = ()
    """The share answered right within each class, by class."""
    constant: bool = False
    """The model gave every sample the same class, or the same number."""
    predictions_sha256: str = ""
    """Hash of the answers that were counted."""
    problem: str = ""
    """Why nothing could be measured, in the student's terms."""
    runs: tuple["SeededRun", ...] = ()
    """Every run, when the first was too close to the threshold to stand alone."""
    rule: str = ""
    """Which of them counts: ``"median"`` or ``"best"``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededRun:
    """One of several runs of the same work."""

    seed: int
    """What its random generators began with."""
    value: float | None
    """What was measured; ``None`` when there was nothing to measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One of several models that an assignment asks for."""

    number: int | None
    """Its place in :attr:`ExecutionRecord.models`; ``None`` when there is none of its name."""
    card: ModelCard | None
    """What it is."""
    measurement: Measurement | None
    """How good it is."""
    problem: str = ""
    """Why there is nothing to judge, in the student's terms."""
    broken: str = ""
    """Our own fault that kept it from being judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything known about one submission, before anyone judges it."""

    submission: Submission
    """What was handed in."""
    execution: ExecutionRecord
    """What it did."""
    card: ModelCard | None
    """What model came out."""
    measurement: Measurement | None
    """How good it is."""
    others: Mapping[str, Judged] = field(default_factory=dict)
    """What else is judged, by the names the assignment gives."""
    broken: str = ""
    """Our own fault that kept the evidence from being complete."""
    known: bool = False
    """No code ran for it: all of it was in the evidence store."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall time by stage, where work was done for it."""


# ------------------------------------------------------------------ what it is worth

AlignedMark = Literal["same", "changed", "missing", "extra"]
"""How a layer found stands beside the one expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedLayer:
    """One line of the expected and the found network, side by side."""

    expected: str
    """The layer expected; empty for an extra one."""
    found: str
    """The layer found; empty for a missing one."""
    mark: AlignedMark
    """How the two compare in what the assignment names."""
    difference: str = ""
    """In what they differ."""
    expected_params: int | None = None
    """Parameters of the layer expected; ``None`` when they cannot be derived."""
    found_params: int | None = None
    """Parameters of the layer found."""
    arithmetic: str = ""
    """How both numbers come about, where they differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check's verdict on one submission."""

    name: str
    """The test function."""
    title: str
    """Its docstring's first line, as the student reads it."""
    outcome: CheckOutcome
    """The verdict."""
    points: float
    """Points earned."""
    out_of: float
    """Points to be had."""
    hidden: bool
    """Not shown to students."""
    expected: str = ""
    """What ought to be."""
    received: str = ""
    """What is."""
    hint: str = ""
    """What to try, or why it was not judged."""
    alignment: tuple[AlignedLayer, ...] = ()
    """The expected and the found network side by side, where a wrong network was compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The product: everything a view is made from."""

    version: int
    """Of this schema."""
    assignment: Mapping[str, str]
    """``name``, ``title``, ``version``."""
    submission: Mapping[str, str]
    """``student``, ``origin``, ``kind``."""
    ending: RunEnding
    """How the run ended."""
    points: float
    """Points earned."""
    out_of: float
    """Points to be had, those of broken checks left out."""
    needs_a_person: bool
    """Something of ours went wrong, or a rule asks for a person."""
    checks: tuple[CheckResult, ...]
    """In the order of the assignment."""
    models: tuple[Mapping[str, Any], ...]
    """Every model found; the judged one with its layers."""
    fits: tuple[FitRecord, ...]
    """Every recorded training."""
    measurement: Measurement | None
    """Held-out accuracy."""
    measurements: Mapping[str, Measurement]
    """The same of what else was judged, by the names the assignment gives."""
    cells: tuple[Mapping[str, Any], ...]
    """Cells that did not simply run, with the student's own traceback."""
    notes: tuple[str, ...]
    """For the reader."""
    flags: tuple[str, ...]
    """For the instructor alone."""
    not_run: Mapping[str, float]
    """Checks that were not run here: ``checks`` and ``points``."""
    isolation: Mapping[str, str]
    """``level`` and ``description``."""
    data: Mapping[str, str]
    """``name``, ``source``, ``description``, ``digest``."""
    environment: Mapping[str, str]
    """Versions, seed, threads."""
    seconds: Mapping[str, float]
    """Wall time by stage."""
