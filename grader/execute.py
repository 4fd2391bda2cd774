"""Submission → ExecutionRecord: the student's code runs in a sandbox, cell by cell.

What ran before an error, a limit or an exit is kept, and so is every model that was trained.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

from grader.assignment import Assignment
from grader.choose import choose
from grader.errors import RunLostError, WorkerError
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
    CellOutcome,
    CellRecord,
    EvaluationRecord,
    ExecutionRecord,
    FigureRecord,
    FitRecord,
    FoundModel,
    ProbeAnswer,
    RunEnding,
    Submission,
)
from grader.sandbox.interface import GIB, MIB, Artefact, Job, Limits, Outcome, Reply
from grader.workbench import Progress, Workbench

MOST_MODELS = 12
MOST_OUTPUT = 4 * MIB
"""Characters of output kept for one cell."""
MOST_FITS = 1000
MOST_EVALUATIONS = 1000
MOST_FIGURES = 100
PROBES_MAY_HIT = ("timeout", "cpu", "memory", "processes", "disk")
"""Endings that are not the run's when they come after its last cell, while probes are asked."""
JOINED = 32
"""Updates in one call, where nobody watches each of them."""


def execute(
    submission: Submission,
    assignment: Assignment,
    bench: Workbench,
    probes: Collection[str] = (),
    asking: Asking | None = None,
) -> tuple[ExecutionRecord, dict[str, bytes]]:
    """Run a submission in the sandbox.

    Args:
        submission: What was handed in.
        assignment: Names the limits, the training budget and the seed.
        bench: Sandbox and data.
        probes: Which of the assignment's are asked after the last cell.
        asking: Asks the model's own code, after all else.

    Returns:
        What happened, as far as the student's process said it, and the archives of its models by
        their SHA-256.

    Raises:
        WorkerError: The sandbox or our own program failed before the first cell.
        RunLostError: The run died with what it stood on.
    """
    if submission.problem:
        return ExecutionRecord(ending="unreadable", problem=submission.problem), {}
    settings = assignment.settings
    questions = {name: settings.probes[name].question() for name in probes}
    watched = _Watched(submission, assignment, bench, questions, asking)
    outcome = bench.sandbox.run(
        Job(
            program="kernel",
            task={
                "cells": list(submission.cells),
                "kind": submission.kind,
                "filename": "submission.py",
                "seed": settings.seed,
                "budget": asdict(settings.training),
                "beside": list(bench.dataset.beside),
                "probes": questions,
                "asks": asking is not None,
                "speed": {
                    "decoded_data": bench.shortcuts.decoded_data,
                    "joined_steps": JOINED if bench.shortcuts.joined_steps else 1,
                    "one_trace": bench.shortcuts.one_trace,
                    "direct_feed": bench.shortcuts.direct_feed,
                },
            },
            readable={"data": bench.dataset.served},
            files=_laid_in(submission, assignment, bench),
            collect=tuple(map(_file, range(MOST_MODELS))),
        ),
        _limits(assignment, asking),
        watched.hear,
    )
    if outcome.setup_error:
        if outcome.ending == "killed":
            raise RunLostError("The sandbox was killed before the first cell.")
        raise WorkerError(f"The sandbox could not be set up: {outcome.setup_error}")
    if not watched.environment and outcome.ending == "finished":
        raise WorkerError(
            f"The kernel did not start (exit {outcome.exit_code}): {outcome.stderr[-2000:]}"
        )
    archives = {
        sha256(artefact.data).hexdigest(): artefact.data
        for artefact in outcome.artefacts.values()
        if artefact.data is not None
    }
    return _record(watched, outcome, assignment), archives


def _laid_in(
    submission: Submission, assignment: Assignment, bench: Workbench
) -> Mapping[str, bytes]:
    """What was handed in, but for what bears the name of a file that all are given."""
    layers = assignment.own_layers
    given = {layers.file: layers.source.encode()} if layers else {}
    names = {*bench.dataset.beside, *given}
    own = {
        name: data for name, data in submission.files.items() if name.partition("/")[0] not in names
    }
    return own | given


def _limits(assignment: Assignment, asking: Asking | None = None) -> Limits:
    wanted = assignment.settings.limits
    return Limits(
        wall_s=wanted.wall_s,
        cpu_s=wanted.cpu_s,
        memory=int(wanted.memory_gib * GIB),
        disk=int(wanted.disk_gib * GIB),
        output=int(wanted.output_mib * MIB),
        processes=wanted.processes,
        answer=asking.longest if asking else 0,
    )


# ------------------------------------------------------------------ while it runs


@dataclass(slots=True)
class _Cell:
    ended: CellEnded | None = None
    outputs: list[Mapping[str, Any]] = field(default_factory=list)
    size: int = 0


class _Watched:
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
        self.cells: dict[int, _Cell] = {}
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
        models = _models(self, artefacts)
        known = ExecutionRecord(ending="finished", models=models, fits=tuple(self.fits))
        known = choose(known, self._assignment.judged_first)
        kept = artefacts.get(_file(known.found.number)) if known.found else None
        return self.asking.question(known, (kept.data if kept else None) or b"")

    def _take(self, message: Message) -> None:  # noqa: C901, PLR0912 - one case a message
        match message:
            case Environment(values=values):
                self.environment = values
            case CellStarted(number=number) if 0 < number <= len(self.submission.cells):
                self.current = number
                self.cells.setdefault(number, _Cell())
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


# ------------------------------------------------------------------ when it is over


def _record(watched: _Watched, outcome: Outcome, assignment: Assignment) -> ExecutionRecord:
    ending = _ending(watched, outcome)
    return choose(
        ExecutionRecord(
            ending=ending,
            cells=_cells(watched, ending),
            models=_models(watched, outcome.artefacts),
            fits=tuple(watched.fits),
            evaluations=tuple(watched.evaluations),
            variables=watched.variables,
            probes=_answers(watched),
            values=watched.values,
            patched=watched.models.patched if watched.models else (),
            figures=tuple(figure for _, figure in sorted(watched.figures.items())),
            stdout=outcome.stdout,
            stderr=outcome.stderr,
            seconds=outcome.wall_s,
            cpu_s=outcome.cpu_s,
            peak_memory=outcome.peak_memory,
            environment=watched.environment,
        ),
        assignment.judged_first,
    )


def _answers(watched: _Watched) -> Mapping[str, ProbeAnswer]:
    """What was answered; of the rest, that it was not."""
    unanswered = ProbeAnswer(outcome="unanswered")
    return {name: watched.answers.get(name, unanswered) for name in watched.probes}


def _ending(watched: _Watched, outcome: Outcome) -> RunEnding:
    # a limit that only what was asked afterwards has hit is no ending of the run
    asked = watched.probes or watched.asking
    beyond = watched.done and asked and outcome.ending in PROBES_MAY_HIT
    beyond = beyond or (watched.asking and watched.asking.is_open)
    if outcome.ending != "finished" and not beyond:
        return outcome.ending
    if not watched.done:
        return "exited"
    outcomes = [cell.ended.outcome for cell in watched.cells.values() if cell.ended]
    return "raised" if any(o in ("raised", "syntax") for o in outcomes) else "finished"


def _cells(watched: _Watched, ending: RunEnding) -> tuple[CellRecord, ...]:
    records = []
    for number in range(1, len(watched.submission.cells) + 1):
        cell = watched.cells.get(number)
        if cell is None:
            records.append(CellRecord(number=number, outcome="not_run", seconds=0.0))
        elif cell.ended is None:
            outcome: CellOutcome = "exited" if ending == "exited" else "stopped"
            records.append(
                CellRecord(
                    number=number,
                    outcome=outcome,
                    seconds=0.0,
                    outputs=tuple(cell.outputs),
                )
            )
        else:
            records.append(
                CellRecord(
                    number=number,
                    outcome=cell.ended.outcome,
                    seconds=cell.ended.seconds,
                    error=cell.ended.error,
                    outputs=tuple(cell.outputs),
                )
            )
    return tuple(records)


def _models(watched: _Watched, artefacts: Mapping[str, Artefact]) -> tuple[FoundModel, ...]:
    """What the worker said of its models; after a sudden end, what each ``fit`` left behind."""
    if watched.models is not None:
        told = {model.number: model for model in watched.models.models}
        numbers = range(len(told)) if set(told) == set(range(len(told))) else range(0)
        return tuple(
            replace(
                told[number],
                artefact=_kept(artefacts, number),
                problem=told[number].problem or _why_not_kept(artefacts, number),
            )
            for number in numbers
        )
    last = max((fit.model for fit in watched.fits if fit.model < MOST_MODELS), default=-1)
    found = []
    for number in range(last + 1):
        own = [fit for fit in watched.fits if fit.model == number]
        found.append(
            FoundModel(
                number=number,
                variables=(),
                kind="unknown",
                compiled=own[-1].compiled if own else None,
                fits=len(own),
                artefact=_kept(artefacts, number),
                problem=_why_not_kept(artefacts, number),
            )
        )
    return tuple(found)


def _file(number: int) -> str:
    """The name under which the kernel saves a model."""
    return f"model-{number}.keras"


def _kept(artefacts: Mapping[str, Artefact], number: int) -> str:
    artefact = artefacts.get(_file(number))
    return sha256(artefact.data).hexdigest() if artefact and artefact.data is not None else ""


def _why_not_kept(artefacts: Mapping[str, Artefact], number: int) -> str:
    artefact = artefacts.get(_file(number))
    if artefact is None:
        return f"only the first {MOST_MODELS} models are kept"
    return artefact.problem
