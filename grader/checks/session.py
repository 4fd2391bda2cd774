"""Evidence → CheckResult…: one pytest session judges every submission of a batch.

The checks are collected once and run again for each submission, with fixtures that give facts:
no live objects, no student's file, no Keras.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.assignment import Assignment
from grader.checks.judge import Judge, OnVerdict
from grader.errors import AssignmentError
from grader.records import Evidence

UNWANTED_PLUGINS = (
    "cacheprovider",
    "debugging",
    "doctest",
    "faulthandler",
    "junitxml",
    "logging",
    "pastebin",
    "setuponly",
    "setupplan",
    "stepwise",
    "terminal",
    "threadexception",
    "unraisableexception",
    "warnings",
)
"""They cost time at every check, write files, or print."""


def run_checks(
    evidence: Iterable[Evidence],
    assignment: Assignment,
    on_verdict: OnVerdict,
    *,
    hidden: bool = True,
) -> None:
    """Judge submissions by an assignment's checks, each as soon as its evidence is there.

    Args:
        evidence: What is known of each submission; may wait for the next one.
        assignment: Names the check files.
        on_verdict: Told of each submission.
        hidden: Whether hidden checks are run too.

    Raises:
        AssignmentError: A check file cannot be collected or a check is not well-formed.
        Exception: Whatever the evidence or ``on_verdict`` raised.
    """
    _session(evidence, assignment, on_verdict, hidden=hidden)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCheck:
    """A check that has not been run."""

    name: str
    """The test function."""
    title: str
    """Its docstring's first line."""
    points: float
    """What it is worth."""
    hidden: bool
    """Not shown to students."""
    facts: tuple[str, ...] = ()
    """The fixtures it asks for, directly or not."""


def list_checks(assignment: Assignment) -> tuple[ListedCheck, ...]:
    """Collect and validate an assignment's checks without judging anyone.

    Raises:
        AssignmentError: A check file cannot be collected or a check is not well-formed.
    """
    judge = _session((), assignment, _tell_nobody, hidden=True)
    return tuple(
        ListedCheck(
            name=check.name,
            title=check.title,
            points=check.points,
            hidden=check.hidden,
            facts=check.facts,
        )
        for check in judge.checks
    )


def _tell_nobody(*_: object) -> None:
    pass


def _session(
    evidence: Iterable[Evidence], assignment: Assignment, on_verdict: OnVerdict, *, hidden: bool
) -> Judge:
    files = [*assignment.visible, *(assignment.hidden if hidden else ())]
    judge = Judge(evidence, files, assignment, on_verdict)
    # Python remembers modules by name: the same file, changed, or another assignment's file of the
    # same name must be read anew.
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "").name in {file.name for file in files}:
            del sys.modules[name]
    status = pytest.main(
        [
            *map(str, files),
            f"--rootdir={assignment.folder}",
            f"--confcutdir={assignment.folder}",
            "--config-file=/dev/null",
            "--import-mode=importlib",
            "--strict-markers",
            "--disable-plugin-autoload",
            "--capture=no",  # costs more than a check; see _run
            "--override-ini=addopts=",
            *(f"-pno:{name}" for name in UNWANTED_PLUGINS),
        ],
        plugins=[judge],
    )
    if judge.failure is not None:
        raise judge.failure
    if judge.complaints:
        raise AssignmentError("\n".join(judge.complaints))
    if not judge.is_done or not judge.checks:
        raise AssignmentError(
            f"{assignment.folder}: pytest could not run the checks (exit status {int(status)}).",
            remedy=f"Try: python -m pytest --collect-only {' '.join(map(str, files))}",
        )
    return judge
