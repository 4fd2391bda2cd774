"""What happened when a submission ran."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from grader.records.answers import ProbeAnswer
from grader.records.cells import CellRecord
from grader.records.plots import FigureRecord
from grader.records.trainings import ArrayFacts, CompileFacts, EvaluationRecord, FitRecord
from grader.records.words import RunEnding


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
    by_fit: bool | None = None
    """Whether its weights are what a recorded ``fit`` of this run left, after any of its epochs;
    ``None`` when nobody could tell."""
    artefact: str = ""
    """The SHA-256 of its ``.keras`` archive; empty when it could not be saved."""
    problem: str = ""
    """Why it could not be saved."""


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
    patched: tuple[str, ...] = ()
    """Methods of ``keras.Model`` that were no longer Keras' own when the run ended."""
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
    """Processor seconds of the run: all of them where it had a control group, else as far as they
    could be seen."""
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
