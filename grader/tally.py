"""CheckResult… → Report: the sum, and everything a reader needs to understand it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from grader.assignment import Assignment
from grader.records import CheckResult, Evidence, Measurement, Report
from grader.workbench import Workbench

VERSION = 1
"""Of the report's schema; see ``docs/report.md``."""


def tally(
    evidence: Evidence,
    results: Sequence[CheckResult],
    assignment: Assignment,
    bench: Workbench,
    *,
    not_run: tuple[int, float] = (0, 0.0),
) -> Report:
    """Add up a submission's points and write down what they stand on.

    A broken check is our fault: it stands in neither sum, and a person is called.

    Args:
        evidence: What is known of the submission.
        results: Its checks' verdicts.
        assignment: What it was judged by.
        bench: Isolation and data, for the record.
        not_run: How many checks were not run here, and what they are worth.
    """
    counted = [result for result in results if result.outcome != "broken"]
    settings, execution = assignment.settings, evidence.execution
    isolation = bench.sandbox.isolation
    return Report(
        version=VERSION,
        assignment={
            "name": settings.name,
            "title": settings.title,
            "version": settings.version,
        },
        submission={
            "student": evidence.submission.student,
            "origin": evidence.submission.origin,
            "kind": evidence.submission.kind,
        },
        ending=execution.ending,
        points=round(sum(result.points for result in counted), 6),
        out_of=round(sum(result.out_of for result in counted), 6),
        needs_a_person=bool(evidence.broken) or len(counted) < len(results),
        checks=tuple(results),
        models=_models(evidence),
        fits=execution.fits,
        measurement=evidence.measurement,
        cells=_cells(evidence),
        notes=_notes(
            evidence,
            settings.thresholds.accuracy.margin if settings.thresholds.accuracy else 0.0,
            assignment,
        ),
        flags=_flags(evidence),
        not_run={"checks": not_run[0], "points": not_run[1]},
        isolation={"level": isolation.level, "description": isolation.description},
        data={
            "name": bench.dataset.name,
            "source": bench.dataset.source,
            "description": bench.dataset.description,
            "digest": bench.dataset.digest,
        },
        environment=execution.environment,
        seconds={
            "run": round(execution.seconds, 3),
            "run_cpu": round(execution.cpu_s, 3),
            **{stage: round(spent, 3) for stage, spent in evidence.seconds.items()},
        },
    )


def _models(evidence: Evidence) -> tuple[Mapping[str, Any], ...]:
    found = []
    for model in evidence.execution.models:
        judged = model.number == evidence.execution.chosen
        entry: dict[str, Any] = {
            "number": model.number,
            "variables": list(model.variables),
            "kind": model.kind,
            "compiled": asdict(model.compiled) if model.compiled else None,
            "fits": model.fits,
            "updates": model.updates,
            "judged": judged,
            "problem": model.problem,
        }
        if judged and evidence.card is not None:
            card = evidence.card
            entry |= {
                "layers": [asdict(layer) for layer in card.layers],
                "input_shape": list(card.input_shape),
                "output_shape": list(card.output_shape),
                "trainable_params": card.trainable_params,
                "non_trainable_params": card.non_trainable_params,
            }
        found.append(entry)
    return tuple(found)


def _cells(evidence: Evidence) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {
            "number": cell.number,
            "outcome": cell.outcome,
            "error": asdict(cell.error) if cell.error else None,
        }
        for cell in evidence.execution.cells
        if cell.outcome != "ok"
    )


def _flags(evidence: Evidence) -> tuple[str, ...]:
    """What an instructor may want to look at; never an accusation, and never shown to students."""
    found = evidence.execution.found
    if found is None or found.fits or not found.updates:
        return ()
    how = "in a loop of the student's own, or it was loaded from a file"
    return (f"The judged model was not trained by a recorded call of `fit`: {how}.",)


_ENDINGS = {
    "timeout": "The run was ended: it took longer than {wall_s:g} s.",
    "memory": "The run was ended: it needed more than {memory_gib:g} GiB of memory.",
    "output": "The run was ended: it printed without end.",
    "processes": "The run was ended: it started more than {processes} processes and threads.",
    "disk": "The run was ended: it wrote more than {disk_gib:g} GiB.",
    "killed": "The run died from a signal.",
    "exited": "The code ended its own process before the last cell.",
}


def _notes(evidence: Evidence, margin: float, assignment: Assignment) -> tuple[str, ...]:
    execution, measurement = evidence.execution, evidence.measurement
    notes: list[str] = []
    if ending := _ENDINGS.get(execution.ending):
        limits = assignment.settings.limits
        notes.append(
            ending.format(
                wall_s=limits.wall_s,
                memory_gib=limits.memory_gib,
                processes=limits.processes,
                disk_gib=limits.disk_gib,
            )
        )
    if execution.problem:
        notes.append(_sentence(execution.problem))
    notes += [*_budget(evidence, assignment), *evidence.submission.notes, *execution.notes]
    if evidence.broken:
        notes.append(evidence.broken)
    wanted = assignment.settings.thresholds.accuracy
    if measurement and measurement.runs:
        notes.append(_several_runs(measurement))
    elif (
        wanted
        and measurement
        and measurement.value is not None
        and abs(measurement.value - wanted.at_least) <= margin
    ):
        notes.append(
            f"The accuracy is close to the threshold: {100 * measurement.value:.2f} % beside "
            f"{100 * wanted.at_least:g} %; another seed could fall on the other side."
        )
    if measurement and len(measurement.tried) > 1:
        tried = ", ".join(
            f"{form}: {100 * share:.1f} %" for form, share in measurement.tried.items()
        )
        notes.append(f"The inputs were presented in several forms, and the best counted: {tried}.")
    return tuple(dict.fromkeys(notes))


def _several_runs(measurement: Measurement) -> str:
    """Say with which seeds the work was run, what came out, and which run counts."""
    values = ", ".join(
        f"{100 * run.value:.2f} % (seed {run.seed})"
        if run.value is not None
        else f"nothing (seed {run.seed})"
        for run in measurement.runs
    )
    counted = 100 * (measurement.value or 0.0)
    return (
        f"The accuracy was close to the threshold, so the work was run {len(measurement.runs)} "
        f"times: {values}. The {measurement.rule} counts: {counted:.2f} %."
    )


def _budget(evidence: Evidence, assignment: Assignment) -> list[str]:
    """Say which trainings the budget ended."""
    budget = assignment.settings.training
    words = {
        "epochs": f"{budget.epochs} epochs of one model",
        "seconds": f"{budget.seconds:g} s for all trainings" if budget.seconds else "",
    }
    reasons = dict.fromkeys(fit.stopped_by for fit in evidence.execution.fits if fit.stopped_by)
    return [
        f"The training budget was used up ({words[reason]}): what was learnt by then was judged."
        for reason in reasons
    ]


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
