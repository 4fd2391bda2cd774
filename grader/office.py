"""Opens what a batch needs: a sandbox with its server, the data, the evidence store."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from grader.assignment import Assignment
from grader.batch import Room, sensible_jobs
from grader.cluster import open_cluster
from grader.datasets import Dataset
from grader.errors import UsageError
from grader.gather import Hands
from grader.local import LocalHands, memory_for, open_bench
from grader.sandbox import ZygoteSandbox, open_sandbox
from grader.sandbox.interface import Level
from grader.store import Store, default_folder
from grader.supply import supply
from grader.workbench import Desk, OnProgress, Shortcuts, Workbench, silent

OLDEST_KERAS = (3, 15, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What somebody may ask for on the command line."""

    data: Path | None = None
    """Folder with data sets."""
    isolation: Level | None = None
    """Exactly this rung; else the strongest that works."""
    jobs: int | None = None
    """Submissions at a time; else what fits."""
    shortcuts: Shortcuts = field(default_factory=Shortcuts)
    """Which of them are taken."""
    store: Path | None = None
    """Folder of the evidence store; else the user's own."""
    fresh: bool = False
    """Whether everything is run again, whatever the store knows."""
    cluster: str = ""
    """Address of a Dask scheduler whose workers do the work; else this machine does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """All that :func:`grader.pipeline.grade` works with."""

    desk: Desk
    """Isolation, data, evidence, results."""
    hands: Hands
    """Who runs what is not known."""
    jobs: int
    """Submissions at a time."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What somebody should know of how the work was done, e.g. that it was slower."""
        sandbox = self.desk.bench.sandbox
        return sandbox.notes if isinstance(sandbox, ZygoteSandbox) else ()


@contextmanager
def open_office(
    assignment: Assignment,
    results: Path,
    wishes: Wishes | None = None,
    *,
    on_progress: OnProgress = silent,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Office]:
    """Open everything, and close it afterwards.

    Args:
        assignment: What will be graded.
        results: Where results go.
        wishes: What was asked for.
        on_progress: Told of every step, from several threads.
        say: Told what is being prepared.

    Raises:
        GraderError: Something that was asked for cannot be had.
    """
    wishes = wishes or Wishes()
    _require_keras()
    with ExitStack() as stack:
        store = stack.enter_context(Store(wishes.store or default_folder()))
        bench, hands, jobs = stack.enter_context(
            _open_hands(assignment, wishes, on_progress=on_progress, say=say)
        )
        desk = Desk(
            bench=bench,
            store=store,
            results=results.resolve(),
            since=datetime.now(UTC) if wishes.fresh else None,
        )
        yield Office(desk=desk, hands=hands, jobs=wishes.jobs or jobs)


def _require_keras() -> None:
    """See that the judge's Keras is none with published holes, whatever the students' is."""
    found = version("keras")
    if tuple(map(int, re.findall(r"\d+", found)[:3])) < OLDEST_KERAS:
        oldest = ".".join(map(str, OLDEST_KERAS))
        raise UsageError(
            f"Keras {found} is installed, and model files are opened with {oldest} or later only: "
            "older versions can be made to run code or read files by a model file.",
            remedy=f"Type: pip install 'keras>={oldest}'",
        )


@contextmanager
def _open_hands(
    assignment: Assignment, wishes: Wishes, *, on_progress: OnProgress, say: Callable[[str], None]
) -> Iterator[tuple[Workbench, Hands, int]]:
    """Open what the work is done with, here or on a cluster; with it, how much at a time."""
    memory = memory_for(assignment)
    if wishes.cluster:
        dataset = _dataset(assignment, wishes, say)
        with open_cluster(
            wishes.cluster,
            dataset,
            level=wishes.isolation,
            shortcuts=wishes.shortcuts,
            memory=memory,
            on_progress=on_progress,
            say=say,
        ) as cluster:
            yield cluster.bench, cluster, cluster.jobs
        return
    say("Trying the isolation ...")
    sandbox = open_sandbox(wishes.isolation)
    dataset = _dataset(assignment, wishes, say)
    with open_bench(sandbox, dataset, wishes.shortcuts, on_progress) as bench:
        yield bench, LocalHands(bench=bench, memory=memory, room=Room()), sensible_jobs(memory)


def _dataset(assignment: Assignment, wishes: Wishes, say: Callable[[str], None]) -> Dataset:
    """Prepare what is served and what is held out."""
    if assignment.settings.data:
        say(f"Preparing {assignment.settings.data.name} ...")
    return supply(assignment, wishes.data)
