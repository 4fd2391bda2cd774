"""How far luck carries a correct solution: the reference under many seeds → :class:`Calibration`.

The engine gives a run all its random numbers from the seed in its order, as it does for retries;
each seed is a run of its own in the evidence store, so that more seeds cost only the new ones.
"""

import math
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
from grader.authoring.solution import read_solution
from grader.authoring.tolerance import (
    Sample,
    chance_below,
    interval_below,
    most_by_counting,
    reach,
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
"""A floor that 99 of 100 correct solutions reach, with a confidence of 95 %."""
STEP = 0.001
"""Floors and margins are multiples of it: a finer one would pretend too much."""


def calibrate(
    assignment: Assignment,
    solution: Path,
    runs: int,
    wishes: Wishes | None = None,
    *,
    watching: Watching = unwatched,
    say: Callable[[str], None] = lambda _: None,
) -> Calibration:
    """Run the reference with several seeds and propose a floor.

    Args:
        assignment: Asks for an accuracy.
        solution: The reference's file.
        runs: How many seeds.
        wishes: Isolation, data, evidence store.
        watching: Shows the progress.
        say: Told what is being prepared.

    Raises:
        AssignmentError: The assignment asks for no accuracy, a run gave none, or every seed gave
            the same.
    """
    wanted = assignment.settings.thresholds.accuracy
    if wanted is None:
        raise AssignmentError(
            f"{assignment.folder / FILE}: there is no accuracy to calibrate.",
            remedy="Only [thresholds.accuracy] has chance in it. Where an accuracy is to be asked "
            "for, write a first at_least = 0.5 there.",
        )
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
    values = {seed: _accuracy(found[seed], solution) for seed in sorted(found)}
    sample = summed_up(tuple(values.values()))
    if not sample.deviation:
        raise AssignmentError(
            f"{solution}: each of {runs} seeds gave an accuracy of {sample.mean:.4f}: there is no "
            f"luck to measure.",
            remedy="A solution that sets a seed of its own hides what students will see: take "
            "set_random_seed out of it.",
        )
    floor = _proposed_floor(sample)
    measured = found[first].measurement
    return Calibration(
        assignment=assignment.name,
        solution=str(solution),
        runs=values,
        samples=measured.samples if measured else 0,
        mean=sample.mean,
        deviation=sample.deviation,
        present=_chance(sample, tuple(values.values()), wanted.at_least),
        proposed=_chance(sample, tuple(values.values()), floor),
        margin=_up(reach(sample)),
        share=SHARE,
        confidence=CONFIDENCE,
        data=data,
        notes=tuple(_notes(runs, floor, wanted.at_least)),
        seconds=time.perf_counter() - began,
    )


def _of_seed(assignment: Assignment, seed: int) -> Assignment:
    """The assignment with another seed, and no second chances: each run counts by itself."""
    settings, accuracy = assignment.settings, assignment.settings.thresholds.accuracy
    once = replace(accuracy, retries=0) if accuracy else None
    thresholds = replace(settings.thresholds, accuracy=once)
    return replace(assignment, settings=replace(settings, seed=seed, thresholds=thresholds))


def _accuracy(evidence: Evidence, solution: Path) -> float:
    found = evidence.measurement
    if found is None or found.value is None:
        reason = evidence.broken or (found.problem if found else "") or evidence.execution.problem
        raise AssignmentError(
            f"{solution}: the run with {evidence.submission.student} gave no accuracy: "
            f"{reason or evidence.execution.ending}.",
            remedy="See what is wrong: grader validate",
        )
    return found.value


def _proposed_floor(sample: Sample) -> float:
    """The lower tolerance bound, rounded down to a step."""
    factor = tolerance_factor(sample.size, SHARE, CONFIDENCE)
    return max(0.0, _down(sample.mean - factor * sample.deviation))


def _chance(sample: Sample, values: tuple[float, ...], floor: float) -> Chance:
    low, high = interval_below(sample, floor)
    failed = sum(value < floor for value in values)
    return Chance(
        floor=floor,
        below=chance_below(sample, floor),
        low=low,
        high=high,
        seen=failed,
        most=most_by_counting(failed, len(values)),
    )


def _down(value: float) -> float:
    return round(math.floor(value / STEP) * STEP, 6)


def _up(value: float) -> float:
    return round(math.ceil(value / STEP) * STEP, 6)


def _notes(runs: int, floor: float, present: float) -> list[str]:
    notes = [
        "Only the reference ran: another correct solution may do a little better or worse.",
    ]
    if runs < ENOUGH:
        notes.append(f"With {ENOUGH} runs or more the bounds are closer.")
    if present <= floor:
        notes.append(
            "The present floor is below the proposed one: a lower floor is kinder, as long as "
            "`grader validate` shows that mistakes do not reach it."
        )
    return notes


# ------------------------------------------------------------------ writing it down


def write_threshold(assignment: Assignment, found: Calibration) -> Path:
    """Write the proposed floor and margin into ``assignment.toml``, and leave all else as it is.

    Returns:
        The file.

    Raises:
        AssignmentError: It cannot be read or written.
    """
    file = assignment.folder / FILE
    try:
        document = tomlkit.parse(file.read_text("utf-8"))
        thresholds = document["thresholds"]
        accuracy = thresholds["accuracy"] if isinstance(thresholds, Table | dict) else None
        if not isinstance(accuracy, dict):
            raise AssignmentError(f"{file}: there is no [thresholds.accuracy].")
        accuracy["at_least"] = found.proposed.floor
        accuracy["margin"] = found.margin
        file.write_text(tomlkit.dumps(document), "utf-8")
    except (OSError, TOMLKitError) as error:
        raise AssignmentError(f"{file}: cannot be changed: {error}.") from None
    return file
