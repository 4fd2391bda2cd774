"""How far luck carries a correct solution: the reference under many seeds → :class:`Calibration`.

The engine gives a run all its random numbers from the seed in its order, as it does for retries;
each seed is a run of its own in the evidence store, so that more seeds cost only the new ones.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

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
from grader.measure import metric_of
from grader.office import Wishes, open_office
from grader.records import Evidence, Judged, Measurement, Metric
from grader.settings import Bounds
from grader.trials import Calibration, Chance, Spread
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
    """Run the reference with several seeds and propose thresholds.

    Args:
        assignment: Asks for an accuracy, or for a small error; or for several models, each of
            which is measured.
        solution: The reference's file.
        runs: How many seeds.
        wishes: Isolation, data, evidence store.
        watching: Shows the progress.
        say: Told what is being prepared.

    Raises:
        AssignmentError: The assignment asks for nothing of it, a run gave none, or every seed gave
            the same.
    """
    wanted = _asked_for(assignment)
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
    spreads, notes = [], []
    for name, (scale, bound) in wanted.items():
        try:
            spreads.append(_spread(name, _measured(name, found, solution), scale, bound, solution))
        except AssignmentError as error:
            if not name:
                raise
            # one of several that cannot be measured, e.g. for windows of another width
            notes.append(f"`{name}` was left out. {error.message}")
    if not spreads:
        raise AssignmentError(
            f"{solution}: none of {', '.join(wanted)} could be measured.",
            remedy="See what is wrong: grader validate",
        )
    return Calibration(
        assignment=assignment.name,
        solution=str(solution),
        models=tuple(spreads),
        share=SHARE,
        confidence=CONFIDENCE,
        data=data,
        notes=(*_notes(runs, spreads), *notes),
        seconds=time.perf_counter() - began,
    )


def _asked_for(assignment: Assignment) -> dict[str, tuple[Scale, float | None]]:
    """Each model's scale, and its bound if that stands in ``assignment.toml``."""
    settings = assignment.settings
    thresholds = settings.thresholds
    wanted: dict[str, tuple[Scale, float | None]] = {}
    if settings.model and (thresholds.accuracy or thresholds.error):
        metric: Metric = "accuracy" if thresholds.accuracy else "mean_squared_error"
        wanted[""] = Scale(metric), _bound(thresholds, metric)
    if settings.data:
        for name, one in settings.models.items():
            own = thresholds.models.get(name, Bounds())
            wanted[name] = Scale(metric_of(one)), _bound(own, metric_of(one))
    if not wanted:
        raise AssignmentError(
            f"{assignment.folder / FILE}: there is no threshold to calibrate.",
            remedy="Where an accuracy is to be asked for, write [thresholds.accuracy] and a first "
            "at_least = 0.5 there; for a regression, [thresholds.error] and at_most.",
        )
    return wanted


def _bound(bounds: Bounds, metric: Metric) -> float | None:
    wanted = bounds.of(metric)
    return wanted.bound if wanted else None


def _of_seed(assignment: Assignment, seed: int) -> Assignment:
    """The assignment with another seed, and no second chances: each run counts by itself."""
    settings = assignment.settings
    once = settings.thresholds.without_retries()
    return replace(assignment, settings=replace(settings, seed=seed, thresholds=once))


def _measured(name: str, found: Mapping[int, Evidence], solution: Path) -> dict[int, Measurement]:
    """What a model reached with each seed."""
    measured = {}
    for seed in sorted(found):
        evidence = found[seed]
        judged = evidence.others.get(name)
        its: Evidence | Judged | None = judged if name else evidence
        measurement = its.measurement if its else None
        if measurement is None or measurement.value is None:
            reasons = (
                its.broken if its else "",
                measurement.problem if measurement else "",
                judged.problem if judged else "",
                evidence.execution.problem,
                evidence.execution.ending,
            )
            raise AssignmentError(
                f"{solution}: the run with {evidence.submission.student} was not measured: "
                f"{next(filter(None, reasons)).rstrip('.')}.",
                remedy="See what is wrong: grader validate",
            )
        measured[seed] = measurement
    return measured


def _spread(
    name: str,
    measured: Mapping[int, Measurement],
    scale: Scale,
    bound: float | None,
    solution: Path,
) -> Spread:
    values = {seed: each.value for seed, each in measured.items() if each.value is not None}
    sample = summed_up([scale.score(value) for value in values.values()])
    if not sample.deviation:
        what = scale.metric.replace("_", " ")
        raise AssignmentError(
            f"{solution}: each of {len(values)} seeds gave the same {what}, "
            f"{next(iter(values.values())):.4g}: there is no luck to measure.",
            remedy="A solution that sets a seed of its own hides what students will see: take "
            "set_random_seed out of it.",
        )
    factor = tolerance_factor(sample.size, SHARE, CONFIDENCE)
    proposed = scale.kinder(sample.mean - factor * sample.deviation)
    reached = tuple(values.values())
    return Spread(
        model=name,
        metric=scale.metric,
        runs=values,
        samples=next(iter(measured.values())).samples,
        mean=scale.value(sample.mean),
        deviation=sample.deviation,
        present=None if bound is None else _chance(sample, reached, scale, bound),
        proposed=_chance(sample, reached, scale, proposed),
        margin=scale.margin(proposed, sample),
    )


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


def _notes(runs: int, spreads: Sequence[Spread]) -> Iterator[str]:
    yield "Only the reference ran: another correct solution may do a little better or worse."
    if runs < ENOUGH:
        yield f"With {ENOUGH} runs or more the bounds are closer."
    for each in spreads:
        score = Scale(each.metric).score
        if each.present and score(each.present.bound) <= score(each.proposed.bound):
            yield (
                "The present threshold is easier to reach than the proposed one: that is kinder, "
                "as long as `grader validate` shows that mistakes do not reach it."
            )
    if in_checks := [each.model for each in spreads if not each.present]:
        yield (
            f"In a check stand the bounds of {', '.join(in_checks)}: write the proposals there, or "
            f"below [thresholds.models.NAME] in {FILE}, where --write finds them."
        )


# ------------------------------------------------------------------ writing it down


def must_have_thresholds(assignment: Assignment) -> None:
    """See that there is something to be written, before anything runs.

    Raises:
        AssignmentError: No bound stands in ``assignment.toml``.
    """
    if all(bound is None for _, bound in _asked_for(assignment).values()):
        raise AssignmentError(
            f"{assignment.folder / FILE}: there is no threshold to be written.",
            remedy="The bounds stand in checks: write the proposals there, without --write; or put "
            "[thresholds.models.NAME.accuracy] and at_least = 0.5 into the file first, for a "
            "regression [thresholds.models.NAME.error] and at_most.",
        )


def write_thresholds(assignment: Assignment, found: Calibration) -> Path:
    """Write the proposed thresholds and margins into ``assignment.toml``; all else stays.

    Returns:
        The file.

    Raises:
        AssignmentError: It cannot be read or written.
    """
    file = assignment.folder / FILE
    try:
        document = tomlkit.parse(file.read_text("utf-8"))
        for spread in found.thresholds:
            table: Any = document
            for name in spread.tables:
                table = table[name]
            table[spread.key] = spread.proposed.bound
            table["margin"] = spread.margin
        file.write_text(tomlkit.dumps(document), "utf-8")
    except (OSError, TOMLKitError) as error:
        raise AssignmentError(f"{file}: cannot be changed: {error}.") from None
    return file
