"""Runs as short as they can be, for mistakes that need no accuracy to be seen."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from grader.assignment import Assignment
from grader.batch import Room, sensible_jobs
from grader.datasets.part import part_of
from grader.local import LocalHands, memory_for, open_bench
from grader.office import Office, Wishes
from grader.sandbox import open_sandbox
from grader.settings import Training
from grader.workbench import OnProgress

OF_ACCURACY = frozenset({"held_out", "history"})
"""Fixtures whose facts depend on how long a model was trained."""
EPOCH = Training(epochs=1, seconds=20.0)
"""The largest networks of the course take a minute an epoch; what is judged then does not depend on
how far they came."""
ROWS = 2000
"""Of each split that is served, and of what is held out."""
MEMORY_GIB = 4.0
"""Enough for so few rows; several such runs fit where one whole run does."""


def brief(assignment: Assignment) -> Assignment:
    """Give the assignment one epoch, and nobody a second chance."""
    settings = assignment.settings
    once = settings.thresholds.without_retries()
    return replace(assignment, settings=replace(settings, training=EPOCH, thresholds=once))


def small(assignment: Assignment) -> Assignment:
    """Give a brief assignment no more memory than a part of the data needs."""
    limits = assignment.settings.limits
    less = replace(limits, memory_gib=min(limits.memory_gib, MEMORY_GIB))
    return replace(assignment, settings=replace(assignment.settings, limits=less))


@contextmanager
def open_part(
    assignment: Assignment, office: Office, wishes: Wishes, on_progress: OnProgress
) -> Iterator[Office]:
    """Open an office beside another, which has only a part of its data.

    Args:
        assignment: What is tried, with its limits.
        office: Whose evidence store and results are used.
        wishes: The isolation and the jobs asked for.
        on_progress: Told of every step.

    Raises:
        GraderError: The isolation cannot be had, or the data not be read.
    """
    whole, memory = office.desk.bench, memory_for(assignment)
    with tempfile.TemporaryDirectory(prefix="grader-") as folder:
        part = part_of(whole.dataset, ROWS, Path(folder))
        sandbox = open_sandbox(wishes.isolation)
        with open_bench(sandbox, part, whole.shortcuts, on_progress) as bench:
            yield replace(
                office,
                desk=replace(office.desk, bench=bench),
                hands=LocalHands(bench=bench, memory=memory, room=Room()),
                jobs=wishes.jobs or sensible_jobs(memory),
            )
