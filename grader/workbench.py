"""What every stage works with: the sandbox, the data, and someone to tell of progress."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grader.datasets import Dataset
from grader.sandbox.interface import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where one submission is."""

    student: str
    """Whose it is."""
    stage: str
    """``"waiting"``, ``"executing"``, ``"examining"``, ``"done"``."""
    detail: str = ""
    """E.g. ``"cell 3/7, epoch 2/5, accuracy 0.910"``."""


OnProgress = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Handed from stage to stage."""

    sandbox: Sandbox
    """Where strangers' code runs."""
    dataset: Dataset
    """What is served and what is held out."""
    results: Path
    """Each submission gets ``submissions/<student>/`` below it."""
    on_progress: OnProgress = silent
    """Told of every step, from several threads."""

    def folder(self, student: str) -> Path:
        """The folder of one submission's results, made when it is not there."""
        folder = self.results / "submissions" / student
        folder.mkdir(parents=True, exist_ok=True)
        return folder
