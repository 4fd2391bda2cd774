"""What one submission costs: by itself, and as one more in a running batch."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.bench import Bench
from benchmarks.peers.contestants import Ours, PlainPython
from benchmarks.peers.watched import save_to_verdict
from benchmarks.peers.work import Work, write_class
from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.grading import (
    find_assignment,
    fit_seconds,
    grading,
    must_be_work,
    own_environment,
    program,
    read_reports,
)
from benchmarks.shared.notebooks import new_seed
from benchmarks.shared.running import REPOSITORY, Command, Usage, run, tail

SAVES = 4
"""Of a file that is watched."""
NOT_ALL_PASSED = 1
"""The exit code of ``grader check`` for work that has not earned full marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One round."""

    work: str
    """What was graded."""
    round: int
    """0 is the warm-up."""
    python: Usage
    """``python script.py``, for one."""
    check: Usage
    """``grader check``, for one."""
    again_seconds: float
    """``grader check --watch``: from a save to the report."""
    batch: Usage
    """``grader grade --jobs 1``, for so many."""
    twice: Usage
    """The same for twice as many."""
    submissions: int
    """How many are in the smaller batch."""
    fit_seconds: float
    """Wall time that a submission of the larger batch spent in ``fit``."""

    @property
    def further_seconds(self) -> float:
        """Wall time of one further submission in a running batch."""
        return (self.twice.seconds - self.batch.seconds) / self.submissions

    @property
    def further_cpu_seconds(self) -> float:
        """Its processor time; neither the host's start nor the server's import is in it."""
        return (self.twice.cpu_seconds - self.batch.cpu_seconds) / self.submissions


def measure_single(bench: Bench, work: Work, *, rounds: int, submissions: int) -> list[Single]:
    """Take turns with one submission, a batch, and a batch of twice the size.

    Args:
        bench: What all share.
        work: What is graded.
        rounds: How many rounds are counted; a warm-up comes first.
        submissions: How many are in the smaller batch.
    """
    seed, taken = new_seed(), []
    for number in range(rounds + 1):
        folder = bench.folder / work.name / f"single-{number}"
        one, *rest = write_class(
            folder / "notebooks",
            work,
            first_seed=seed + number * (4 * submissions + SAVES),
            students=3 * submissions + 1 + SAVES,
        )
        batch, _ = _grade(bench, work, folder / "batch", rest[:submissions])
        twice, fits = _grade(bench, work, folder / "twice", rest[submissions : 3 * submissions])
        single = Single(
            work=work.name,
            round=number,
            python=_script(bench, work, folder / "python", one),
            check=_check(work, folder / "check", one),
            again_seconds=save_to_verdict(work, folder / "watch", rest[3 * submissions :]),
            batch=batch,
            twice=twice,
            submissions=submissions,
            fit_seconds=fits,
        )
        kind = "warm-up" if number == 0 else f"round {number}"
        print(
            f"{work.name:<8} {kind:<9} one alone: check {single.check.seconds:.2f} s, python "
            f"{single.python.seconds:.2f} s; saved again: {single.again_seconds:.2f} s; "
            f"one further: {single.further_seconds:.2f} s, "
            f"load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        taken.append(single)
    return taken


def _script(bench: Bench, work: Work, folder: Path, notebook: Path) -> Usage:
    folder.mkdir()
    python = PlainPython(bench, work)
    [command] = python.prepare(folder, [notebook])
    usage = run(command)
    python.read_scores(folder, [notebook])
    return usage


def _check(work: Work, folder: Path, notebook: Path) -> Usage:
    """Check one notebook as its author would."""
    folder.mkdir()
    answer, log = folder / "report.json", folder / "check.log"
    assignment = find_assignment(work.assignment)
    usage = run(
        Command(
            argv=[*program(), "check", str(notebook), "--assignment", assignment, "--json"],
            cwd=REPOSITORY,
            environment=own_environment(folder / "store"),
            log=log,
            answer=answer,
            fine=frozenset({0, NOT_ALL_PASSED}),
        )
    )
    try:
        report = json.loads(answer.read_text("utf-8"))
    except ValueError as error:
        raise BenchmarkError(f"grader check gave no report: {error}\n{tail(log)}") from error
    # a student is not told how long the judge took
    must_be_work(notebook.stem, report, judged=False)
    if report["measurement"] is None:
        raise BenchmarkError(f"{notebook.stem}: not measured:\n{tail(log)}")
    return usage


def _grade(
    bench: Bench, work: Work, folder: Path, notebooks: Sequence[Path]
) -> tuple[Usage, float]:
    """Grade a batch, one at a time; also the seconds that each spent in ``fit``."""
    folder.mkdir()
    ours = Ours(bench, work)
    submitted = folder / "submitted"
    submitted.mkdir()
    for notebook in notebooks:
        (submitted / notebook.name).write_bytes(notebook.read_bytes())
    options = [*ours.bench.options, "--jobs", "1"]
    usage = run(grading(work.assignment, submitted, folder, options=options))
    reports = read_reports(folder, [notebook.stem for notebook in notebooks])
    fits = [fit_seconds(report) for report in reports.values()]
    return usage, sum(fits) / len(fits)
