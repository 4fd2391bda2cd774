"""Listens to a run: what its worker says, message by message."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.assignment import Assignment
from grader.choose import choose
from grader.execute.models import file_of, found_models
from grader.judging.own_code import Asking
from grader.messages import (
    CellEnded,
    CellStarted,
    ClearOutput,
    Done,
    Environment,
    Epoch,
    EvaluationEnded,
    FigureSeen,
    FitEnded,
    FitStarted,
    Message,
    ModelsDescribed,
    ModelsFound,
    Output,
    ProbeAnswered,
    Reader,
    ReadyToAnswer,
    ValuesFound,
    VariablesFound,
)
from grader.records import (
    ArrayFacts,
    EvaluationRecord,
    ExecutionRecord,
    FigureRecord,
    FitRecord,
    ProbeAnswer,
    Submission,
)
from grader.sandbox.interface import MIB, Artefact, Reply
from grader.workbench import Progress, Workbench

MOST_OUTPUT = 4 * MIB
"""Characters of output kept for one cell."""
MOST_FITS = 1000
MOST_EVALUATIONS = 1000
MOST_FIGURES = 100


@dataclass(slots=True)
class Cell:
    """What is known of a cell that has begun."""

    ended: CellEnded | None = None
    outputs: list[Mapping[str, Any]] = field(default_factory=list)
    size: int = 0


class Heard:
    """Gathers a run's messages and tells of its progress."""

    def __init__(
        self,
        submission: Submission,
        assignment: Assignment,
        bench: Workbench,
        probes: Collection[str],
        asking: Asking | None,
    ) -> None:
        self.submission = submission
        self.probes = probes
        self.asking = asking
        self.answers: dict[str, ProbeAnswer] = {}
        self.cells: dict[int, Cell] = {}
        self.current = 0
        self.fits: list[FitRecord] = []
        self.evaluations: list[EvaluationRecord] = []
        self.models: ModelsFound | None = None
        self.variables: Mapping[str, ArrayFacts] = {}
        self.values: Mapping[str, Any] = {}
        self.figures: dict[int, FigureRecord] = {}
        self.environment: Mapping[str, str] = {}
        self.done = False
        self.reader = Reader()
        self._assignment = assignment
        self._bench = bench
        self._epochs = 0

    def hear(self, chunk: bytes) -> Reply | None:
        """Take a chunk of the worker's channel."""
        if self.asking and self.asking.is_open:
            self.asking.hear(chunk)
            return None
        for message in self.reader.feed(chunk):
            if isinstance(message, ReadyToAnswer) and self.asking and self.done:
                self.asking.is_open = True  # whatever was said behind it was said too early
                return self._question
            self._take(message)
        return None

    def _question(self, artefacts: Mapping[str, Artefact]) -> bytes:
        """Say what the run is handed in, now that all that came out of it is known."""
        if self.asking is None:
            return b""
        models = found_models(self.models, self.fits, artefacts)
        known = ExecutionRecord(ending="finished", models=models, fits=tuple(self.fits))
        known = choose(known, self._assignment.judged_first)
        kept = artefacts.get(file_of(known.found.number)) if known.found else None
        return self.asking.question(known, (kept.data if kept else None) or b"")

    def _take(self, message: Message) -> None:  # noqa: C901, PLR0912 - one case a message
        match message:
            case Environment(values=values):
                self.environment = values
            case CellStarted(number=number) if 0 < number <= len(self.submission.cells):
                self.current = number
                self.cells.setdefault(number, Cell())
                self._tell("")
            case CellEnded(number=number) if number in self.cells:
                self.cells[number].ended = message
            case Output(output=output):
                self._show(output)
            case ClearOutput() if self.current in self.cells:
                self.cells[self.current].outputs.clear()
            case FitStarted(epochs=epochs):
                self._epochs = epochs
            case Epoch(epoch=epoch, logs=logs):
                shown = "".join(
                    f", {key} {value:.3f}" for key, value in logs.items() if "acc" in key
                )
                self._tell(f", epoch {epoch}/{self._epochs}{shown}")
            case FitEnded(fit=fit) if len(self.fits) < MOST_FITS:
                self.fits.append(fit)
            case EvaluationEnded(evaluation=evaluation) if len(self.evaluations) < MOST_EVALUATIONS:
                self.evaluations.append(evaluation)
            case ModelsFound():
                self.models = message
            case VariablesFound(variables=variables):
                self.variables = variables
            case ValuesFound(values=values):
                self.values = values
            case FigureSeen(number=number, figure=figure):
                self._keep_figure(number, figure)
            case Done():
                self.done = True
            case ProbeAnswered(name=name, answer=answer) if name in self.probes and self.done:
                self.answers.setdefault(name, answer)
            case ModelsDescribed(models=models) if self.asking and self.done:
                self.asking.described = models
            case _:
                pass

    def _keep_figure(self, number: int, figure: FigureRecord) -> None:
        """Keep the last ones: code that draws in each epoch is finished with its last figure."""
        self.figures[number] = figure
        if len(self.figures) > MOST_FIGURES:
            del self.figures[min(self.figures)]

    def _tell(self, detail: str) -> None:
        place = f"cell {self.current}/{len(self.submission.cells)}{detail}"
        self._bench.on_progress(
            Progress(student=self.submission.student, stage="executing", detail=place)
        )

    def _show(self, output: Mapping[str, Any]) -> None:
        cell = self.cells.get(self.current)
        if cell is None or not _is_output(output):
            return
        cell.size += len(str(output))
        if cell.size > MOST_OUTPUT:
            return
        last = cell.outputs[-1] if cell.outputs else {}
        if (
            output["output_type"] == "stream" == last.get("output_type")
            and last["name"] == output["name"]
        ):
            cell.outputs[-1] = {**last, "text": last["text"] + output["text"]}
        else:
            cell.outputs.append(output)


def _is_output(output: Mapping[str, Any]) -> bool:
    """Whether it has the fields of a notebook output (format 4)."""
    known: Mapping[str, Mapping[str, type]] = {
        "stream": {"name": str, "text": str},
        "display_data": {"data": dict, "metadata": dict},
        "execute_result": {"data": dict, "metadata": dict, "execution_count": int},
        "error": {"ename": str, "evalue": str, "traceback": list},
    }
    wanted = known.get(str(output.get("output_type")))
    return wanted is not None and all(
        isinstance(output.get(key), kind) for key, kind in wanted.items()
    )
