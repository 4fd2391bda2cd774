"""Order → Findings: what a machine with a sandbox does for one submission.

Both are plain values: they may come from, and go back to, another machine. No label is among them.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from grader.assignment import Assignment
from grader.errors import RunLostError, WorkerError
from grader.execute import execute
from grader.judging.examine import examine
from grader.judging.judgement import Judgement
from grader.judging.own_code import Asking, is_needed
from grader.records import ExecutionRecord, Submission
from grader.workbench import Progress, Workbench

MOST_LOSSES = 3
"""A run is begun anew when what it stood on died, but not for ever."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is not known yet of one submission."""

    submission: Submission
    """What was handed in."""
    assignment: Assignment
    """Names limits, seed and input forms."""
    execution: ExecutionRecord | None = None
    """What it did, if that is known and only the judge is to be asked."""
    archive: bytes = b""
    """The model of that execution, if the judge is to be asked."""
    probes: tuple[str, ...] = ()
    """The probes that were not answered yet."""
    own_code: bool = False
    """Whether a model that no judge can open is asked in the student's sandbox."""
    extra: bool = False
    """Whether the extra set is asked instead of the held-out one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found out."""

    execution: ExecutionRecord
    """What it did."""
    judgement: Judgement | None
    """What the judge said; ``None`` when there was no model."""
    own: Judgement | None = None
    """What the model's own code said; ``None`` when the judge needs none."""
    blobs: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Models and answers by their SHA-256."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall time by stage."""


def find_out(order: Order, bench: Workbench) -> Findings:
    """Run the submission if that has not been done, and have its model judged.

    Where it has been done and answers are wanted that were not asked for then, of probes or of the
    model's own code, it runs again for them alone; what was found out the first time stays.

    Raises:
        GraderError: Our own program or the sandbox failed.
    """
    submission, assignment = order.submission, order.assignment
    if order.extra and bench.dataset.extra is not None:
        bench = replace(bench, dataset=bench.dataset.extra)
    blobs: dict[str, bytes] = {}
    seconds: dict[str, float] = {}

    def stage(name: str, work: Callable[[], tuple[T, dict[str, bytes]]]) -> T:
        bench.on_progress(Progress(student=submission.student, stage=name))
        began = time.perf_counter()
        result, kept = _until_done(work)
        seconds[name] = time.perf_counter() - began
        blobs.update(kept)
        return result

    asking: Asking | None = None
    answering = 0.0

    def run() -> tuple[ExecutionRecord, dict[str, bytes]]:
        nonlocal asking, answering
        asking = Asking(assignment, bench) if order.own_code else None
        done = execute(submission, assignment, bench, order.probes, asking)
        answering = asking.seconds if asking else 0.0
        return done

    execution = again = order.execution
    if execution is None:
        execution = again = stage("executing", run)
    elif order.probes or order.own_code:
        again = stage("executing", run)
        if again.ending != "killed":  # perhaps by the machine: another time it may be answered
            execution = replace(execution, probes={**execution.probes, **again.probes})
        blobs.clear()
    archive = order.archive or blobs.get(execution.found.artefact if execution.found else "", b"")
    judgement = own = None
    if archive:
        judgement = stage("examining", lambda: examine(execution, archive, assignment, bench))
    if answering:  # as when a judge is asked, nobody learns how long that took
        seconds["executing"] -= answering
        seconds["examining"] = seconds.get("examining", 0.0) + answering
    needed = order.execution is not None or is_needed(execution, archive, assignment)
    if asking and needed and again and again.ending != "killed":
        own, rows = asking.judgement(execution)
        blobs.update(rows)
    return Findings(execution=execution, judgement=judgement, own=own, blobs=blobs, seconds=seconds)


def _until_done(work: Callable[[], T]) -> T:
    """Begin anew what was lost through no doing of its own."""
    losses = 0
    while True:
        try:
            return work()
        except RunLostError as error:
            losses += 1
            if losses == MOST_LOSSES:
                raise WorkerError(f"{error.message} ({losses} times in a row)") from error
