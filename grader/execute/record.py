"""A run that is over → its record."""

from collections.abc import Mapping

from grader.assignment import Assignment
from grader.choose import choose
from grader.execute.heard import Heard
from grader.execute.models import found_models
from grader.records import (
    CellOutcome,
    CellRecord,
    ExecutionRecord,
    ProbeAnswer,
    RunEnding,
    Submission,
)
from grader.sandbox.interface import Outcome

PROBES_MAY_HIT = ("timeout", "cpu", "memory", "processes", "disk")
"""Endings that are not the run's when they come after its last cell, while probes are asked."""


def unreadable(submission: Submission) -> ExecutionRecord:
    """What is known of work that could not be read: why, as a sentence."""
    why = submission.problem
    return ExecutionRecord(ending="unreadable", problem=f"{why[:1].upper()}{why[1:]}.")


def record(heard: Heard, outcome: Outcome, assignment: Assignment) -> ExecutionRecord:
    """Put together what a run was, from what it said and how it ended."""
    ending = _ending(heard, outcome)
    return choose(
        ExecutionRecord(
            ending=ending,
            cells=_cells(heard, ending),
            models=found_models(heard.models, heard.fits, outcome.artefacts),
            fits=tuple(heard.fits),
            evaluations=tuple(heard.evaluations),
            variables=heard.variables,
            probes=_answers(heard),
            values=heard.values,
            patched=heard.models.patched if heard.models else (),
            figures=tuple(figure for _, figure in sorted(heard.figures.items())),
            stdout=outcome.stdout,
            stderr=outcome.stderr,
            seconds=outcome.wall_s,
            cpu_s=outcome.cpu_s,
            peak_memory=outcome.peak_memory,
            environment=heard.environment,
        ),
        assignment.judged_first,
    )


def _answers(heard: Heard) -> Mapping[str, ProbeAnswer]:
    """What was answered; of the rest, that it was not."""
    unanswered = ProbeAnswer(outcome="unanswered")
    return {name: heard.answers.get(name, unanswered) for name in heard.probes}


def _ending(heard: Heard, outcome: Outcome) -> RunEnding:
    # a limit that only what was asked afterwards has hit is no ending of the run
    asked = heard.probes or heard.asking
    beyond = heard.done and asked and outcome.ending in PROBES_MAY_HIT
    beyond = beyond or (heard.asking and heard.asking.is_open)
    if outcome.ending != "finished" and not beyond:
        return outcome.ending
    if not heard.done:
        return "exited"
    outcomes = [cell.ended.outcome for cell in heard.cells.values() if cell.ended]
    return "raised" if any(o in ("raised", "syntax") for o in outcomes) else "finished"


def _cells(heard: Heard, ending: RunEnding) -> tuple[CellRecord, ...]:
    records = []
    for number in range(1, len(heard.submission.cells) + 1):
        cell = heard.cells.get(number)
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
