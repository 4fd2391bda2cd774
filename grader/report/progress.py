"""Progress while a batch runs: a live bar with an estimate, or plain lines where nobody watches."""

import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from grader.report.words import plain_text
from grader.workbench import Progress as Step

BAR = 20


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
        self._lock = threading.Lock()
        self._details: dict[str, str] = {}
        self._live = console.is_terminal and self._console.is_terminal
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=BAR),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}", table_column=Column(ratio=1, no_wrap=True)),
            console=self._console,
            disable=not self._live,
            transient=True,
            expand=True,
        )
        self._task = self._bar.add_task("Grading", total=total, detail="")

    def __enter__(self) -> Self:
        """Start showing."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop showing."""
        self._bar.stop()

    def say(self, text: str) -> None:
        """Show what is being prepared."""
        self._bar.update(self._task, detail=text)

    def hear(self, step: Step) -> None:
        """Take one step of one submission."""
        with self._lock:
            if step.stage == "done":
                self._done += 1
                self._details.pop(step.student, None)
                self._bar.advance(self._task)
                if not self._live:
                    self._console.print(
                        f"[{self._done}/{self._total}] {plain_text(step.student)}",
                        markup=False,
                    )
            else:
                self._details[step.student] = f"{step.student}: {step.detail or step.stage}"
            shown = next(reversed(self._details.values()), "")
            self._bar.update(self._task, detail=plain_text(shown))
