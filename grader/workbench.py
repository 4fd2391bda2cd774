"""What the stages work with, where student code runs and where grades are given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from grader.datasets import Dataset
from grader.sandbox.interface import Sandbox
from grader.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where one submission is."""

    student: str
    """Whose it is."""
    stage: str
    """``"executing"``, ``"examining"``, ``"known"``, ``"done"``."""
    detail: str = ""
    """E.g. ``"cell 3/7, epoch 2/5, accuracy 0.910"``."""


OnProgress = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcuts:
    """Work done ahead or done at once, which no student's code can tell from the long way."""

    zygote: bool = True
    """Keras is imported once, and each run is a fork of that process."""
    decoded_data: bool = True
    """The first ``load_data()`` of a run finds its arrays decoded."""
    joined_steps: bool = True
    """``fit`` makes several updates in one call of its compiled function, if nobody watches."""
    one_trace: bool = True
    """What a joined step would make when it is traced is made before, and it is traced once."""
    direct_feed: bool = True
    """Arrays enter TensorFlow by one copy, and a pipeline of theirs is begun as Keras wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Where student code runs, here or on another machine; it has no labels to give."""

    sandbox: Sandbox
    """Where strangers' code runs."""
    dataset: Dataset
    """What is served and what is held out."""
    shortcuts: Shortcuts = field(default_factory=Shortcuts)
    """Which of them are taken."""
    on_progress: OnProgress = silent
    """Told of every step, from several threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where grades are given: what is known already, and where results go."""

    bench: Workbench
    """Isolation and data."""
    store: Store
    """What earlier runs have shown."""
    results: Path
    """Each submission gets ``submissions/<student>/`` below it."""
    since: datetime | None = None
    """Evidence made before this moment is not looked at."""

    def folder(self, student: str) -> Path:
        """The folder of one submission's results, made when it is not there."""
        folder = self.results / "submissions" / student
        folder.mkdir(parents=True, exist_ok=True)
        return folder
