"""Opens what a batch needs: a sandbox with its server, the data, the evidence store."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from grader.assignment import Assignment
from grader.batch import Room, sensible_jobs
from grader.datasets import load
from grader.examine import JUDGE_MEMORY
from grader.find_out import Findings, Order, find_out
from grader.gather import Hands
from grader.sandbox import open_sandbox
from grader.sandbox.interface import GIB, Level
from grader.store import Store, default_folder
from grader.workbench import Desk, OnProgress, Shortcuts, Workbench, silent

PROGRAMS = ("kernel", "judge")
"""What the server imports ahead."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """All that :func:`grader.pipeline.grade` works with."""

    desk: Desk
    """Isolation, data, evidence, results."""
    hands: Hands
    """Who runs what is not known."""
    jobs: int
    """Submissions at a time."""


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
    with ExitStack() as stack:
        store = stack.enter_context(Store(wishes.store or default_folder()))
        say("Trying the isolation ...")
        sandbox = open_sandbox(wishes.isolation)
        say(f"Preparing {assignment.settings.data.set} ...")
        dataset = load(assignment.settings.data.set, data_dir=wishes.data)
        if wishes.shortcuts.zygote:
            from grader.sandbox.zygote import ZygoteSandbox  # noqa: PLC0415

            sandbox = stack.enter_context(
                ZygoteSandbox(
                    sandbox,
                    programs=PROGRAMS,
                    readable={"data": dataset.served},
                    prepare={"decoded_data": wishes.shortcuts.decoded_data},
                )
            )
        bench = Workbench(
            sandbox=sandbox,
            dataset=dataset,
            shortcuts=wishes.shortcuts,
            on_progress=on_progress,
        )
        desk = Desk(
            bench=bench,
            store=store,
            results=results.resolve(),
            since=datetime.now(UTC) if wishes.fresh else None,
        )
        memory = max(int(assignment.settings.limits.memory_gib * GIB), JUDGE_MEMORY)
        room = Room()

        def here(order: Order) -> Findings:
            with room.of(memory):
                return find_out(order, bench)

        yield Office(desk=desk, hands=here, jobs=wishes.jobs or sensible_jobs(memory))
