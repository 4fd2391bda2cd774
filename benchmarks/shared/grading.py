"""This grader's command, and whether its reports tell of work that was done."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.shared.faults import BenchmarkError
from benchmarks.shared.running import HERE, REPOSITORY, Command, tail

FIRST_LINE = "[1/"
"""What ``grader grade`` prints when its first submission is done."""


def program() -> list[str]:
    """The console script, or the module where it is not installed."""
    script = Path(sys.executable).parent / "grader"
    return [str(script)] if script.exists() else [sys.executable, "-m", "grader"]


def own_environment(store: Path | None = None) -> dict[str, str]:
    """The caller's environment, without a graphics card.

    Args:
        store: The evidence store to be used.
    """
    environment = {"CUDA_VISIBLE_DEVICES": "-1", **os.environ}
    if store is not None:
        environment["GRADER_STORE"] = str(store)
    return environment


def find_assignment(name: str) -> str:
    """What to call an assignment: a folder of the benchmarks, or a name of the course."""
    own = HERE / "assignments" / name
    return str(own) if own.is_dir() else name


def grading(
    assignment: str, submitted: Path, folder: Path, *, options: Sequence[str] = ()
) -> Command:
    """``grader grade`` with an evidence store that knows nothing yet.

    Args:
        assignment: Its name.
        submitted: What is graded.
        folder: Takes the results, the store and the log.
        options: More arguments.

    Raises:
        BenchmarkError: The store is there already.
    """
    store = folder / "store"
    if store.exists():
        raise BenchmarkError(f"{store}: may know something already")
    argv = [*program(), "grade", find_assignment(assignment), str(submitted)]
    return Command(
        argv=[*argv, "-o", str(folder / "results"), *options],
        cwd=REPOSITORY,
        environment=own_environment(store),
        log=folder / "grader.log",
        marker=FIRST_LINE,
    )


def read_reports(
    folder: Path, students: Sequence[str], *, judged: bool = True
) -> dict[str, dict[str, Any]]:
    """Read the reports of a batch that had to run everything.

    Full marks are not asked for.

    Args:
        folder: The one given to :func:`grading`.
        students: Who must have a report.
        judged: Whether each must have a model whose accuracy was measured.

    Raises:
        BenchmarkError: A submission was not run to its end, or not measured.
    """
    paths = sorted((folder / "results" / "submissions").glob("*/report.json"))
    if sorted(path.parent.name for path in paths) != sorted(students):
        raise BenchmarkError(
            f"{len(paths)} reports for {len(students)} submissions:\n{tail(folder / 'grader.log')}"
        )
    reports = {path.parent.name: json.loads(path.read_text("utf-8")) for path in paths}
    for student, report in reports.items():
        must_be_work(student, report, judged=judged)
    return reports


def must_be_work(student: str, report: Mapping[str, Any], *, judged: bool = True) -> None:
    """Look whether a submission was run here and now.

    Raises:
        BenchmarkError: It was not.
    """
    stages = {"executing", "examining"} if judged else {"executing"}
    missing = stages - set(report["seconds"])
    if report["ending"] != "finished" or report["needs_a_person"] or missing:
        raise BenchmarkError(
            f"{student}: ending {report['ending']!r}, a person is needed: "
            f"{report['needs_a_person']}, not done: {', '.join(missing) or 'nothing'}, "
            f"notes: {report['notes']}"
        )
    measurement = report["measurement"] or {}
    if judged and not measurement.get("value"):
        raise BenchmarkError(f"{student}: no accuracy was measured: {measurement!r}")


def fit_seconds(report: Mapping[str, Any]) -> float:
    """Wall time that a submission spent in ``fit``."""
    return float(sum(fit["seconds"] for fit in report["fits"]))
