"""What a contestant is, and the two that need no environment of their own."""

import re
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from benchmarks.peers.bench import Bench
from benchmarks.peers.work import Work
from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.grading import fit_seconds, grading, own_environment, read_reports
from benchmarks.shared.running import Command, tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a contestant said about one submission."""

    student: str
    """The submission's name."""
    said: str
    """The score in the contestant's own measure."""
    fit_seconds: float | None = None
    """Wall time of the submission's own ``fit``, where the contestant tells it."""


class Contestant(ABC):
    """One way of grading notebooks.

    Args:
        bench: What all of them share.
        work: What is graded.
    """

    name: str
    """What ``--only`` calls it."""
    requirement: str | None = None
    """The package that is installed into an environment of its own, pinned."""
    at_once: int = 1
    """How many of its commands run together."""

    def __init__(self, bench: Bench, work: Work) -> None:
        self.bench = bench
        self.work = work

    @property
    def home(self) -> Path:
        """Its virtual environment."""
        return self.bench.environments / self.name

    @property
    def python(self) -> Path:
        """The interpreter it runs under."""
        if self.requirement is None:
            return Path(sys.executable)
        return self.home / "bin" / "python"

    @property
    def environment(self) -> dict[str, str]:
        """The variables it runs with."""
        return self.bench.peer_environment(self.python)

    @property
    def own_folder(self) -> Path:
        """Where it keeps what its rounds share."""
        return self.bench.folder / self.work.name / self.name

    def set_up(self) -> None:  # noqa: B027 - two of four have nothing to set up
        """Make what all its rounds share; not timed."""

    @abstractmethod
    def prepare(self, folder: Path, notebooks: Sequence[Path]) -> list[Command]:
        """Lay out the submissions of one round; not timed.

        Args:
            folder: An empty folder of this round and contestant.
            notebooks: The submissions.

        Returns:
            The commands that grade them: what is timed.
        """

    @abstractmethod
    def read_scores(self, folder: Path, notebooks: Sequence[Path]) -> list[Score]:
        """Read what it reported; not timed.

        Args:
            folder: The folder given to :meth:`prepare`.
            notebooks: The submissions.

        Returns:
            A score for each submission.

        Raises:
            BenchmarkError: A submission was not run, or not graded as it deserves.
        """


class Ours(Contestant):
    """This grader: one command for all submissions, a store that knows nothing."""

    name = "ours"

    @property
    def environment(self) -> dict[str, str]:
        """The caller's: this grader serves its data itself."""
        return own_environment()

    def prepare(self, folder: Path, notebooks: Sequence[Path]) -> list[Command]:
        """One folder with all notebooks, one command."""
        submitted = folder / "submitted"
        submitted.mkdir()
        for notebook in notebooks:
            shutil.copy(notebook, submitted)
        options = list(self.bench.options)
        if self.bench.jobs is not None:
            options += ["--jobs", str(self.bench.jobs)]
        return [grading(self.work.assignment, submitted, folder, options=options)]

    def read_scores(self, folder: Path, notebooks: Sequence[Path]) -> list[Score]:
        """Each report must tell of a run here and now, and of a measured accuracy."""
        reports = read_reports(folder, [notebook.stem for notebook in notebooks])
        return [
            Score(
                student=student,
                said=f"{report['points']:g}/{report['out_of']:g} points, "
                f"held-out accuracy {report['measurement']['value']:.3f}",
                fit_seconds=fit_seconds(report),
            )
            for student, report in reports.items()
        ]


class PlainPython(Contestant):
    """``python script.py``: runs the code, grades nothing; a reference."""

    name = "python"

    @property
    def at_once(self) -> int:  # type: ignore[override]
        """As many scripts as are wanted."""
        return self.bench.jobs or 1

    def prepare(self, folder: Path, notebooks: Sequence[Path]) -> list[Command]:
        """A script and a command for each notebook."""
        commands = []
        for path in notebooks:
            cells = nbformat.read(path, 4).cells
            script = folder / f"{path.stem}.py"
            sources = [cell.source for cell in cells if cell.cell_type == "code"]
            script.write_text("\n\n".join(sources), "utf-8")
            commands.append(
                Command(
                    argv=[str(self.python), str(script)],
                    cwd=folder,
                    environment=self.environment,
                    log=folder / f"{path.stem}.log",
                )
            )
        return commands

    def read_scores(self, folder: Path, notebooks: Sequence[Path]) -> list[Score]:
        """Each script must have printed a good accuracy."""
        scores = []
        for path in notebooks:
            log = folder / f"{path.stem}.log"
            found = re.search(r"^test accuracy: ([\d.]+)", log.read_text("utf-8"), re.MULTILINE)
            if found is None or float(found[1]) < self.work.minimum_accuracy:
                raise BenchmarkError(f"python: {path.stem}:\n{tail(log)}")
            scores.append(Score(student=path.stem, said=f"not graded, test accuracy {found[1]}"))
        return scores
