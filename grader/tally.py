"""CheckResult… → Report: the sum, and everything a reader needs to understand it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from grader.assignment import Assignment
from grader.checks.verdict import count
from grader.diagnose import explain
from grader.flags import flags
from grader.judging.own_code import WEAKER
from grader.measure import as_read
from grader.records import CheckResult, Evidence, Measurement, Report
from grader.settings import Bounds, Settings
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
    feedback = settings.feedback.held_out
    on_measured = tuple(_on_measurements(evidence, settings))
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
        measurements={
            name: judged.measurement
            for name, judged in evidence.others.items()
            if judged.measurement
        },
        extra=evidence.extra,
        cells=_cells(evidence),
        notes=tuple(dict.fromkeys([*_notes(evidence, assignment), *on_measured])),
        withheld_notes=on_measured if feedback != "exact" else (),
        feedback=feedback,
        flags=flags(evidence, assignment),
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
    cards = {
        other.number: (name, other.card) for name, other in evidence.others.items() if other.card
    }
    if evidence.card is not None:
        cards[evidence.execution.chosen] = ("", evidence.card)
    found = []
    for model in evidence.execution.models:
        name, card = cards.get(model.number, ("", None))
        entry: dict[str, Any] = {
            "number": model.number,
            "variables": list(model.variables),
            "kind": model.kind,
            "compiled": asdict(model.compiled) if model.compiled else None,
            "fits": model.fits,
            "updates": model.updates,
            "judged": card is not None or model.number == evidence.execution.chosen,
            "name": name,
            "problem": model.problem,
        }
        if card is not None:
            entry |= {
                "layers": [asdict(layer) for layer in card.layers],
                "input_shape": list(card.input_shape),
                "output_shape": list(card.output_shape),
                "trainable_params": card.trainable_params,
                "non_trainable_params": card.non_trainable_params,
                "where": card.where,
            }
        found.append(entry)
    return tuple(found)


def _cells(evidence: Evidence) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {
            "number": cell.number,
            "outcome": cell.outcome,
            "error": {**asdict(cell.error), "hint": explain(cell.error, evidence.execution.fits)}
            if cell.error
            else None,
        }
        for cell in evidence.execution.cells
        if cell.outcome != "ok"
    )


_ENDINGS = {
    "timeout": "The run was ended: it took longer than {wall_s:g} s.",
    "cpu": "The run was ended: it used more than {cpu_s:g} s of processor time.",
    "memory": "The run was ended: it needed more than {memory_gib:g} GiB of memory.",
    "output": "The run was ended: it printed without end.",
    "processes": "The run was ended: it started more than {processes} processes and threads.",
    "disk": "The run was ended: it wrote more than {disk_gib:g} GiB.",
    "killed": "The run died from a signal.",
    "exited": "The code ended its own process before the last cell.",
}


def _notes(evidence: Evidence, assignment: Assignment) -> list[str]:
    """Say what one should know, but for what was measured."""
    execution = evidence.execution
    settings = assignment.settings
    notes: list[str] = []
    if ending := _ENDINGS.get(execution.ending):
        limits = settings.limits
        notes.append(
            ending.format(
                wall_s=limits.wall_s,
                cpu_s=limits.cpu_s or 0,
                memory_gib=limits.memory_gib,
                processes=limits.processes,
                disk_gib=limits.disk_gib,
            )
        )
    if execution.problem:
        notes.append(_sentence(execution.problem))
    notes += [*_budget(evidence, assignment), *evidence.submission.notes, *execution.notes]
    if evidence.is_weaker and WEAKER not in evidence.broken:
        notes.append(WEAKER)
    if evidence.broken:
        notes.append(evidence.broken)
    notes += [
        f"`{settings.models[name].variable}`: {_sentence(judged.problem)}"
        for name, judged in evidence.others.items()
        if judged.problem
    ]
    return notes


def _on_measurements(evidence: Evidence, settings: Settings) -> Iterator[str]:
    """Say what one should know of how models were measured; all of it tells what was."""
    yield from _on_measurement(evidence.measurement, settings.thresholds)
    for name, judged in evidence.others.items():
        if bounds := settings.thresholds.models.get(name):
            for note in _on_measurement(judged.measurement, bounds):
                yield f"`{settings.models[name].variable}`: {note}"


def _on_measurement(measurement: Measurement | None, bounds: Bounds) -> Iterator[str]:
    if measurement is None:
        return
    metric = measurement.metric
    wanted = bounds.of(metric)
    if measurement.runs:
        yield _several_runs(measurement)
    elif wanted and measurement.value is not None and wanted.is_close(measurement.value):
        what = "accuracy" if metric == "accuracy" else "error"
        yield (
            f"The {what} is close to the threshold: {as_read(metric, measurement.value)} "
            f"beside {as_read(metric, wanted.bound)}; another seed could fall on the other side."
        )
    if len(measurement.tried) > 1:
        tried = ", ".join(
            f"{form}: {as_read(metric, value)}" for form, value in measurement.tried.items()
        )
        yield f"The inputs were presented in several forms, and the best counted: {tried}."


def _several_runs(measurement: Measurement) -> str:
    """Say with which seeds the work was run, what came out, and which run counts."""
    metric = measurement.metric
    values = ", ".join(
        f"{as_read(metric, run.value)} (seed {run.seed})"
        if run.value is not None
        else f"nothing (seed {run.seed})"
        for run in measurement.runs
    )
    counted = as_read(metric, measurement.value or 0.0)
    what = "accuracy" if metric == "accuracy" else "error"
    return (
        f"The {what} was close to the threshold, so the work was run {len(measurement.runs)} "
        f"times: {values}. The {measurement.rule} counts: {counted}."
    )


def _budget(evidence: Evidence, assignment: Assignment) -> list[str]:
    """Say which trainings the budget ended."""
    budget = assignment.settings.training
    words = {
        "epochs": f"{count(budget.epochs or 0, 'epoch')} of one model",
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
