"""How good a model is, and all that is known of a submission before anyone judges it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.records.models import ModelCard
from grader.records.runs import ExecutionRecord
from grader.records.submissions import Submission
from grader.records.words import Metric, Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """How good a model is on held-out data.

    The student's code could not reach that data, unless :attr:`where` says that it answered it.
    """

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
    answered: int | None = None
    """How many different classes were among the answers."""
    predictions_sha256: str = ""
    """Hash of the answers that were counted."""
    problem: str = ""
    """Why nothing could be measured, in the student's terms."""
    runs: tuple["SeededRun", ...] = ()
    """Every run, when the first was too close to the threshold to stand alone."""
    rule: str = ""
    """Which of them counts: ``"median"`` or ``"best"``."""
    where: Where = "judge"
    """Where the answers were computed: ``"judge"``, or ``"student sandbox"``, the weaker kind."""


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
    extra: Measurement | None = None
    """How good it is on the assignment's extra set; ``None`` where there is none."""
    others: Mapping[str, Judged] = field(default_factory=dict)
    """What else is judged, by the names the assignment gives."""
    broken: str = ""
    """Our own fault that kept the evidence from being complete."""
    known: bool = False
    """No code ran for it: all of it was in the evidence store."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall time by stage, where work was done for it."""

    @property
    def is_weaker(self) -> bool:
        """Whether it was the model's own code that told of it, in the student's sandbox."""
        told = (self.card, self.measurement)
        return any(each is not None and each.where != "judge" for each in told)
