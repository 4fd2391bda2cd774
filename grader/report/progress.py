"""Progress while a batch runs: a live view, or plain lines where nobody watches."""

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from grader.report.words import plain_text
from grader.workbench import Progress as Step

BAR = 20
MOST_LINES = 8
"""Running submissions shown one by one."""
MINUTE = 60


def _age() -> float:
    """Seconds since this process began; what psutil tells is right to a second only."""
    began = int(Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK")


class _Rate(ProgressColumn):
    """How many submissions are done in a minute."""

    def render(self, task: Task) -> Text:
        """Say the rate since the beginning."""
        if not task.completed or not task.elapsed:
            return Text("")
        return Text(f"{MINUTE * task.completed / task.elapsed:.0f}/min")


class Watch:
    """Shows where a batch is; safe to be told from several threads.

    Args:
        total: How many submissions there are.
        console: Where to show it; when it is no terminal, one line a finished submission.
    """

    def __init__(self, total: int, console: Console) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._total = total
        self._done = 0
        self.known = 0
        """How many of them no code ran for."""
        self.seconds: dict[str, float] = {}
        """Wall time of the phases of this call, from the start of the process."""
        self._last = time.monotonic() - _age()
        self._lock = threading.Lock()
        self._running: dict[str, str] = {}
        self._live_view = console.is_terminal and self._console.is_terminal
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=BAR),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            _Rate(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}", table_column=Column(ratio=1, no_wrap=True)),
            expand=True,
        )
        self._task = self._bar.add_task("Grading", total=total, detail="")
        self._live = Live(
            get_renderable=self._view,
            console=self._console,
            transient=True,
            refresh_per_second=5,
        )

    def __enter__(self) -> Self:
        """Start showing, from the beginning if something was shown before."""
        self._done = self.known = 0
        self._bar.reset(self._task)
        if self._live_view:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop showing; when it ended before its time, say what is not lost."""
        if self._live_view:
            self._live.stop()
        if error is not None and self._done:
            self._console.print(
                f"{self._done} of {self._total} submissions are graded and kept; "
                "the same command goes on from there.",
                markup=False,
            )

    def say(self, text: str) -> None:
        """Show what is being prepared."""
        self._bar.update(self._task, detail=text)

    def ready(self) -> None:
        """All is prepared: from now on, submissions are graded."""
        self._bar.update(self._task, detail="")
        self._phase("preparing")

    def over(self, notes: Iterable[str] = ()) -> None:
        """All is graded; say what was known from before, and whatever else is to be known."""
        self._phase("grading")
        for note in notes:
            self._console.print(note, markup=False)
        if self.known:
            who, whom = "This submission was", "it"
            if self._total > 1:
                whole = "All" if self.known == self._total else f"{self.known} of"
                who, whom = f"{whole} {self._total} submissions were", "them"
            self._console.print(
                f"{who} known already: no code was run for {whom} (--fresh runs everything again).",
                markup=False,
            )

    def hear(self, step: Step) -> None:
        """Take one step of one submission."""
        with self._lock:
            if step.stage != "done":
                self._running[step.student] = step.detail or step.stage
                return
            self._running.pop(step.student, None)
            self._done += 1
            self.known += step.detail == "known"
            self._bar.advance(self._task)
            if not self._live_view:
                self._console.print(
                    f"[{self._done}/{self._total}] {plain_text(step.student)}", markup=False
                )

    def _phase(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = now - self._last
        self._last = now

    def _view(self) -> Group:
        """The bar, and below it what each running submission is doing."""
        with self._lock:
            running = list(self._running.items())
        lines = [
            Text(f"  {plain_text(student)}: {plain_text(detail)}", no_wrap=True, style="dim")
            for student, detail in running[:MOST_LINES]
        ]
        if len(running) > MOST_LINES:
            lines.append(Text(f"  and {len(running) - MOST_LINES} more", style="dim"))
        return Group(self._bar, *lines)
