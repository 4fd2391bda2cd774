"""nbgrader: one command for all submissions."""

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path

import nbformat

from benchmarks.peers.contestants import Contestant, Score
from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.notebooks import KERNEL
from benchmarks.shared.running import COMMAND_LIMIT, Command, run, tail

ASSIGNMENT = "mnist"
FILE = f"{ASSIGNMENT}.ipynb"


class NbGrader(Contestant):
    """``nbgrader autograde``."""

    name = "nbgrader"
    requirement = "nbgrader==0.9.6"

    def nbgrader(self, folder: Path, *arguments: str) -> Command:
        """The program ``nbgrader`` in a course folder."""
        return Command(
            argv=[str(self.python.with_name("nbgrader")), *arguments],
            cwd=folder,
            environment=self.environment,
            log=folder / f"{arguments[0]}.log",
        )

    def set_up(self) -> None:
        """Write the assignment and release it."""
        source = self.own_folder / "source" / ASSIGNMENT
        source.mkdir(parents=True)
        (self.own_folder / "nbgrader_config.py").write_text(
            "c = get_config()\n"
            'c.CourseDirectory.course_id = "benchmark"\n'
            f"c.Execute.timeout = {COMMAND_LIMIT:.0f}\n",
            "utf-8",
        )
        cells = [nbformat.v4.new_markdown_cell(f"# {self.work.title}")]
        for name, code in self.work.tests.items():
            cell = nbformat.v4.new_code_cell(code.rstrip("\n"))
            cell.id = name.replace("_", "-")
            cell.metadata["nbgrader"] = {
                "schema_version": 3,
                "grade_id": name,
                "grade": True,
                "locked": True,
                "solution": False,
                "task": False,
                "points": 1,
            }
            cells.append(cell)
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
        nbformat.write(notebook, source / FILE)
        run(self.nbgrader(self.own_folder, "generate_assignment", ASSIGNMENT))

    def prepare(self, folder: Path, notebooks: Sequence[Path]) -> list[Command]:
        """A course folder with a submission of each student, one command."""
        course = folder / "course"
        shutil.copytree(self.own_folder, course)
        released = nbformat.read(course / "release" / ASSIGNMENT / FILE, 4)
        tests = [cell for cell in released.cells if "nbgrader" in cell.metadata]
        for path in notebooks:
            notebook = nbformat.read(path, 4)
            notebook.cells += tests
            handed_in = course / "submitted" / path.stem / ASSIGNMENT
            handed_in.mkdir(parents=True)
            nbformat.write(notebook, handed_in / FILE)
        return [self.nbgrader(course, "autograde", ASSIGNMENT)]

    def read_scores(self, folder: Path, notebooks: Sequence[Path]) -> list[Score]:
        """The exported gradebook must give each student full marks."""
        course = folder / "course"
        run(self.nbgrader(course, "export", "--to=grades.csv"))
        with (course / "grades.csv").open(encoding="utf-8", newline="") as grades:
            rows = {row["student_id"]: row for row in csv.DictReader(grades)}
        wanted = len(self.work.tests)
        scores = []
        for path in notebooks:
            row = rows.get(path.stem, {})
            earned = float(row.get("raw_score") or 0)
            most = float(row.get("max_score") or 0)
            if earned != wanted or most != wanted:
                raise BenchmarkError(
                    f"nbgrader: {path.stem} earned {earned:g} of {most:g}:\n"
                    + tail(course / "autograde.log")
                )
            scores.append(Score(student=path.stem, said=f"{earned:g}/{most:g} points"))
        return scores
