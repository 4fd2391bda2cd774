"""How far luck carries a correct solution: the reference under many seeds → :class:`Calibration`.

The engine gives a run all its random numbers from the seed in its order, as it does for retries;
each seed is a run of its own in the evidence store, so that more seeds cost only the new ones.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from grader.assignment import FILE, Assignment
from grader.authoring.scale import Scale
from grader.authoring.solution import read_solution
from grader.authoring.tolerance import (
    Sample,
    chance_below,
    interval_below,
    most_by_counting,
    summed_up,
    tolerance_factor,
)
from grader.authoring.watching import Ear, Watching, unwatched
from grader.batch import as_they_finish
from grader.errors import AssignmentError
from grader.gather import Gatherer
from grader.office import Wishes, open_office
from grader.records import Evidence
from grader.trials import Calibration, Chance
from grader.workbench import Progress

ENOUGH = 10
"""Runs from which on the bounds are narrow enough to be of use."""
SHARE, CONFIDENCE = 0.99, 0.95
"""A bound that 99 of 100 correct solutions reach, with a confidence of 95 %."""


def calibrate(
    assignment: Assignment,
    solution: Path,
    runs: int,
    wishes: Wishes | None = None,
    *,
    watching: Watching = unwatched,
    say: Callable[[str], None] = lambda _: None,
) -> Calibration:
    """Run the reference with several seeds and propose a threshold.

    Args:
        assignment: Asks for an accuracy, or for a small error.
        solution: The reference's file.
        runs: How many seeds.
        wishes: Isolation, data, evidence store.
        watching: Shows the progress.
        say: Told what is being prepared.

    Raises:
        AssignmentError: The assignment asks for neither, a run gave none, or every seed gave the
            same.
    """
    scale, bound = _asked_for(assignment)
    began = time.perf_counter()
    reference = read_solution(solution)
    ear = Ear()
    with (
        tempfile.TemporaryDirectory(prefix="grader-") as folder,
        open_office(
            assignment,
            Path(folder),
            wishes,
            on_progress=ear.hear,
            say=say,
        ) as office,
        watching(runs) as ear.on_progress,
    ):

        def run(seed: int) -> Evidence:
            gatherer = Gatherer(_of_seed(assignment, seed), office.desk, office.hands)
            return gatherer.gather(replace(reference, student=f"seed {seed}"))

        office.hands.get_ready()
        first = assignment.settings.seed
        found: dict[int, Evidence] = {}
        arriving = as_they_finish(range(first, first + runs), run, jobs=office.jobs)
        with closing(arriving):
            for seed, evidence in arriving:
                found[seed] = evidence
                ear.hear(
                    Progress(
                        student=evidence.submission.student,
                        stage="done",
                        detail="known" if evidence.known else "",
                    )
                )
        data = office.desk.bench.dataset.description
    values = {seed: _measured(found[seed], solution) for seed in sorted(found)}
    sample = summed_up([scale.score(value) for value in values.values()])
    if not sample.deviation:
        what = scale.metric.replace("_", " ")
        raise AssignmentError(
            f"{solution}: each of {runs} seeds gave the same {what}, "
            f"{next(iter(values.values())):.4g}: there is no luck to measure.",
            remedy="A solution that sets a seed of its own hides what students will see: take "
            "set_random_seed out of it.",
        )
    factor = tolerance_factor(sample.size, SHARE, CONFIDENCE)
    proposed = scale.kinder(sample.mean - factor * sample.deviation)
    measured = found[first].measurement
    return Calibration(
        assignment=assignment.name,
        solution=str(solution),
        metric=scale.metric,
        runs=values,
        samples=measured.samples if measured else 0,
        mean=scale.value(sample.mean),
        deviation=sample.deviation,
        present=_chance(sample, tuple(values.values()), scale, bound),
        proposed=_chance(sample, tuple(values.values()), scale, proposed),
        margin=scale.margin(proposed, sample),
        share=SHARE,
        confidence=CONFIDENCE,
        data=data,
        notes=tuple(_notes(runs, is_kind=scale.score(bound) <= scale.score(proposed))),
        seconds=time.perf_counter() - began,
    )


def _asked_for(assignment: Assignment) -> tuple[Scale, float]:
    """What the assignment has a threshold of, and where it is."""
    thresholds = assignment.settings.thresholds
    if wanted := thresholds.accuracy:
        return Scale("accuracy"), wanted.at_least
    if thresholds.error:
        return Scale("mean_squared_error"), thresholds.error.at_most
    raise AssignmentError(
        f"{assignment.folder / FILE}: there is no threshold to calibrate.",
        remedy="Where an accuracy is to be asked for, write [thresholds.accuracy] and a first "
        "at_least = 0.5 there; for a regression, [thresholds.error] and at_most.",
    )


def _of_seed(assignment: Assignment, seed: int) -> Assignment:
    """The assignment with another seed, and no second chances: each run counts by itself."""
    settings = assignment.settings
    once = settings.thresholds.without_retries()
    return replace(assignment, settings=replace(settings, seed=seed, thresholds=once))


def _measured(evidence: Evidence, solution: Path) -> float:
    found = evidence.measurement
    if found is None or found.value is None:
        reason = evidence.broken or (found.problem if found else "") or evidence.execution.problem
        raise AssignmentError(
            f"{solution}: the run with {evidence.submission.student} was not measured: "
            f"{reason or evidence.execution.ending}.",
            remedy="See what is wrong: grader validate",
        )
    return found.value


def _chance(sample: Sample, values: tuple[float, ...], scale: Scale, bound: float) -> Chance:
    score = scale.score(bound)
    low, high = interval_below(sample, score)
    failed = sum(scale.score(value) < score for value in values)
    return Chance(
        bound=bound,
        missed=chance_below(sample, score),
        low=low,
        high=high,
        seen=failed,
        most=most_by_counting(failed, len(values)),
    )


def _notes(runs: int, *, is_kind: bool) -> list[str]:
    notes = [
        "Only the reference ran: another correct solution may do a little better or worse.",
    ]
    if runs < ENOUGH:
        notes.append(f"With {ENOUGH} runs or more the bounds are closer.")
    if is_kind:
        notes.append(
            "The present threshold is easier to reach than the proposed one: that is kinder, as "
            "long as `grader validate` shows that mistakes do not reach it."
        )
    return notes


# ------------------------------------------------------------------ writing it down


def write_threshold(assignment: Assignment, found: Calibration) -> Path:
    """Write the proposed threshold and margin into ``assignment.toml``; all else stays.

    Returns:
        The file.

    Raises:
        AssignmentError: It cannot be read or written.
    """
    file = assignment.folder / FILE
    try:
        document = tomlkit.parse(file.read_text("utf-8"))
        thresholds = document["thresholds"]
        wanted = thresholds[found.table] if isinstance(thresholds, Table | dict) else None
        if not isinstance(wanted, dict):
            raise AssignmentError(f"{file}: there is no [thresholds.{found.table}].")
        wanted[found.key] = found.proposed.bound
        wanted["margin"] = found.margin
        file.write_text(tomlkit.dumps(document), "utf-8")
    except (OSError, TOMLKitError) as error:
        raise AssignmentError(f"{file}: cannot be changed: {error}.") from None
    return file
