"""Who is told how far a trial is: a new listener for each of its rounds."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from grader.workbench import OnProgress, Progress, silent

Watching = Callable[[int], AbstractContextManager[OnProgress]]
"""Given how many submissions will be graded, shows their progress."""


@contextmanager
def unwatched(_: int) -> Iterator[OnProgress]:
    """Tell nobody how far it is."""
    yield silent


@dataclass(slots=True)
class Ear:
    """What an office is opened with; passes on to whoever listens in this round."""

    on_progress: OnProgress = silent
    """Who does."""

    def hear(self, step: Progress) -> None:
        """Take one step."""
        self.on_progress(step)
