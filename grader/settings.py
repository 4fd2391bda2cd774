"""What ``assignment.toml`` may say, table by table."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from grader.probes import Probe
from grader.records import Feedback, Metric, Task, Transform

FRACTION = Annotated[float, Field(ge=0, le=1)]
POSITIVE = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
"""Seconds or sizes of a run: nothing that a machine has is larger."""
Layout = Literal["vector", "image", "as_is", "multi_hot", "padded"]
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """``[data]``: what is served and what is held out."""

    __pydantic_config__ = _STRICT

    set: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] | None = None
    """The data set's name, as in ``keras.datasets``;"""
    file: Annotated[str, Field(pattern=r"^\w[\w\-.]*\.npz$")] | None = None
    """or else the name of the assignment's own file."""

    def __post_init__(self) -> None:
        """Take one of the two.

        Raises:
            ValueError: Both are given, or neither.
        """
        if (self.set is None) == (self.file is None):
            raise ValueError(
                'either set = "mnist", a data set of Keras\', or file = "mine.npz", one of your own'
            )

    @property
    def name(self) -> str:
        """What people call it."""
        return self.set or self.file or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWanted:
    """``[model]``: which model is judged, and how."""

    __pydantic_config__ = _STRICT

    task: Task
    """What its output means."""
    inputs: Annotated[tuple[Layout, ...], Field(min_length=1)]
    """The input forms it may take."""
    variable: str = "model"
    """The name that decides when several models were trained."""
    classes: Annotated[int, Field(ge=1)] = 1
    """How many numbers the output has."""
    own_code: Literal["person", "report", "points"] = "person"
    """What becomes of a model that only code of the student's own can open: a person is called; or
    that code is handed the held-out inputs in the student's sandbox, and what comes back is
    reported and a person decides; or it counts."""
    only_by_name: bool | None = None
    """Whether a model of another name is not judged in its place; if not said, only where there
    are several (``[models.NAME]``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsWanted:
    """``[limits]``: what one submission may use up."""

    __pydantic_config__ = _STRICT

    wall_s: POSITIVE = 600.0
    """Seconds for the whole run."""
    cpu_s: POSITIVE | None = None
    """Processor seconds of all its threads and processes together; if not said, the clock alone
    ends a run, however many cores it keeps busy."""
    memory_gib: POSITIVE = 4.0
    """Resident memory of the whole process tree."""
    disk_gib: POSITIVE = 2.0
    """The work folder."""
    output_mib: POSITIVE = 1.0
    """Kept of each output stream."""
    processes: Annotated[int, Field(ge=32, le=100_000)] = 160
    """Processes and threads together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """``[training]``: the budget of ``fit``; what was learnt when it ends is what is judged."""

    __pydantic_config__ = _STRICT

    epochs: Annotated[int, Field(ge=1)] | None = None
    """The most epochs of one model, over all its trainings."""
    seconds: POSITIVE | None = None
    """The most seconds of all trainings of a submission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyWanted:
    """``[thresholds.accuracy]``: a floor, never an equality."""

    __pydantic_config__ = _STRICT

    at_least: FRACTION
    """The share of held-out samples to be answered right."""
    margin: FRACTION = 0.01
    """How near the floor counts as close, in either direction."""
    retries: Annotated[int, Field(ge=0, le=20)] = 0
    """How many more seeds a close accuracy is tried with."""
    rule: Literal["median", "best"] = "median"
    """Which of the runs counts; of an even number of runs, ``median`` takes the better middle."""

    def is_close(self, value: float) -> bool:
        """Whether another seed could fall on the other side."""
        return abs(value - self.bound) <= self.margin

    @property
    def bound(self) -> float:
        """The floor."""
        return self.at_least


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorWanted:
    """``[thresholds.error]``: a ceiling of the mean squared error, for regression."""

    __pydantic_config__ = _STRICT

    at_most: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """What the mean of the squared errors on held-out samples may be."""
    margin: Annotated[float, Field(ge=0)] = 0.0
    """How near the ceiling counts as close, in either direction."""
    retries: Annotated[int, Field(ge=0, le=20)] = 0
    """How many more seeds a close error is tried with."""
    rule: Literal["median", "best"] = "median"
    """Which of the runs counts; of an even number of runs, ``median`` takes the better middle."""

    def is_close(self, value: float) -> bool:
        """Whether another seed could fall on the other side."""
        return abs(value - self.bound) <= self.margin

    @property
    def bound(self) -> float:
        """The ceiling."""
        return self.at_most


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """``[thresholds.models.NAME]``: what one of several models should reach."""

    __pydantic_config__ = _STRICT

    accuracy: AccuracyWanted | None = None
    """Held-out accuracy."""
    error: ErrorWanted | None = None
    """Held-out mean squared error."""

    def of(self, metric: Metric) -> AccuracyWanted | ErrorWanted | None:
        """Give the threshold of what was measured."""
        return self.accuracy if metric == "accuracy" else self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds(Bounds):
    """``[thresholds]``: what the model of ``[model]`` should reach, and each of several."""

    __pydantic_config__ = _STRICT

    models: Mapping[str, Bounds] = field(default_factory=dict)
    """Those of ``[models.NAME]`` that have bounds of their own."""

    def of_model(self, name: str) -> Bounds:
        """Give the bounds of one of several models: its own, or else those of ``[model]``."""
        return self.models.get(name, self)

    def without_retries(self) -> "Thresholds":
        """Give the same thresholds, at which each run counts by itself."""
        return replace(
            self,
            accuracy=replace(self.accuracy, retries=0) if self.accuracy else None,
            error=replace(self.error, retries=0) if self.error else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """``[extra]``: a second held-out set; nobody but the instructor hears of it."""

    __pydantic_config__ = _STRICT

    file: Annotated[str, Field(pattern=r"^\w[\w\-.]*\.npz$")] | None = None
    """The name of a file beside ``assignment.toml`` with ``x_test`` and ``y_test``;"""
    transform: Transform | None = None
    """and how its inputs are changed; without a file, those of the held-out set."""
    margin: FRACTION = 0.05
    """How far below the held-out accuracy the extra one may lie, beyond both intervals, before the
    instructor is told."""

    def __post_init__(self) -> None:
        """Take one of the two, or both.

        Raises:
            ValueError: Neither is given.
        """
        if self.file is None and self.transform is None:
            raise ValueError(
                'file = "private.npz" with samples of your own, or transform = "noise", which '
                "changes the held-out ones, or both"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackWanted:
    """``[feedback]``: what a student's copy of a report tells."""

    __pydantic_config__ = _STRICT

    held_out: Feedback = "exact"
    """How much of what was measured on held-out data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """``[hidden]``: what a student's copy says of the checks it does not carry."""

    __pydantic_config__ = _STRICT

    checks: Annotated[int, Field(ge=0)] = 0
    """How many there are."""
    points: Annotated[float, Field(ge=0)] = 0.0
    """What they are worth together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validate:
    """``[validate]``: what ``grader validate`` need not complain about."""

    __pydantic_config__ = _STRICT

    harmless: dict[str, Annotated[str, Field(min_length=1)]] = field(default_factory=dict)
    """Kind of mutant → why work with this mistake may have full marks here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole of ``assignment.toml``."""

    __pydantic_config__ = _STRICT

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """The folder's name."""
    title: Annotated[str, Field(min_length=1)]
    """What students read."""
    version: Annotated[str, Field(min_length=1)]
    """Changes when a grade could."""
    data: Data | None = None
    model: ModelWanted | None = None
    layers: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*\.py$")] | None = None
    """A file with layers of the assignment's own; students import it, and the judge knows it."""
    about: str = ""
    """A paragraph for the instructor."""
    limits: LimitsWanted = field(default_factory=LimitsWanted)
    training: Training = field(default_factory=Training)
    models: Mapping[str, ModelWanted] = field(default_factory=dict)
    """``[models.NAME]``: what else is judged, each by its own variable."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    extra: Extra | None = None
    feedback: FeedbackWanted = field(default_factory=FeedbackWanted)
    hidden: Hidden = field(default_factory=Hidden)
    validate: Validate = field(default_factory=Validate)
    probes: Mapping[Annotated[str, Field(pattern=r"^[a-z]\w*$")], Probe] = field(
        default_factory=dict
    )
    """Calls of the student's own functions."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    """For every random generator of a run."""
