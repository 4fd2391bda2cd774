"""Whether anything of a hidden check can be read by students, in their pack or in their reports."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.checks.session import ListedCheck
from grader.records import Report
from grader.report.as_json import as_data
from grader.trials import Complaint

SHORTEST_LINE = 12
"""A shorter line of source may well stand elsewhere by chance."""
TELLING_DIGITS = 4
"""A number with so many significant digits is no coincidence."""
TELLING_TEXT = 8
_USUAL = re.compile(r"(from|import|def|class|async def)\s|@|return$|pass$")
"""Lines that any check file has."""


def in_files(
    assignment: Assignment, checks: Sequence[ListedCheck], files: Mapping[str, str]
) -> Iterator[Complaint]:
    """Look for titles, names, lines and values of hidden checks in texts.

    Args:
        assignment: Has the hidden check files.
        checks: Its checks.
        files: Name → text that students can read.
    """
    secrets = dict(reversed([*_secrets(assignment, checks)]))  # a title is no mere value
    for place, text in files.items():
        squeezed = _squeezed(text)
        for secret, what in secrets.items():
            if re.search(rf"(?<![\w.]){re.escape(_squeezed(secret))}(?!\w)", squeezed):
                yield Complaint(
                    about="leak",
                    what=f"{place}: students can read {what} there: {secret!r}.",
                    remedy="Take it out, or make the check a visible one.",
                )


def _squeezed(text: str) -> str:
    """A sentence is the same however it is wrapped."""
    return re.sub(r"\s+", " ", text)


def _secrets(assignment: Assignment, checks: Sequence[ListedCheck]) -> Iterator[tuple[str, str]]:
    for check in checks:
        if check.hidden:
            yield check.title.partition(" [")[0], f"the title of the hidden check {check.name}"
            yield check.name.partition("[")[0], "the name of a hidden check"
    # what a visible check has as well, as a whole line or value, says nothing
    lines = {line.strip() for file in assignment.visible for line in _lines(file)}
    values = {value for file in assignment.visible for value in _values(file)}
    for file in assignment.hidden:
        yield file.name, "the name of a file with hidden checks"
        for number, line in enumerate(_lines(file), start=1):
            bare = line.strip().strip("#").strip().strip("\"'").strip()
            if len(bare) >= SHORTEST_LINE and not _USUAL.match(bare) and line.strip() not in lines:
                yield bare, f"line {number} of {file.name}"
        for value in _values(file):
            if value not in values:
                yield value, f"a value of {file.name}"


def _values(file: Path) -> Iterator[str]:
    """The values in a check file that nobody guesses."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and _is_telling(node.value):
            source = ast.unparse(node)
            value = node.value if isinstance(node.value, str) else source
            yield inspect.cleandoc(str(value))


def _is_telling(value: Any) -> bool:
    if isinstance(value, str):
        return len(value.strip()) >= TELLING_TEXT and not value.isidentifier()
    if isinstance(value, int | float) and not isinstance(value, bool):
        digits = re.sub(r"\D", "", repr(value)).strip("0")
        return len(digits) >= TELLING_DIGITS
    return False


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines()


# ------------------------------------------------------------------ reports


def in_a_report(report: Report, name: str) -> Iterator[Complaint]:
    """Look for what hidden checks said in the copy of a report that a student gets.

    Args:
        report: A whole report.
        name: Whose, for the complaint.
    """
    shown = set(_texts(as_data(report, for_student=True)))
    for check in report.checks:
        if not check.hidden:
            continue
        for text in (check.name, check.title, check.expected, check.hint):
            # A run that left nothing to judge is told as a note and is every check's hint.
            told = text == check.hint and text in {*report.notes, *_why_unmeasured(report)}
            if len(text) >= TELLING_TEXT and text in shown - _said(report) and not told:
                yield Complaint(
                    about="leak",
                    what=f"The student's copy of the report on {name} shows what the hidden check "
                    f"{check.name} says: {text!r}.",
                    remedy="This is a fault of the grader: please report it.",
                )


def _why_unmeasured(report: Report) -> Iterator[str]:
    """Why nothing was measured stands in every copy, whoever asks for it in a check."""
    for measurement in (report.measurement, *report.measurements.values()):
        if measurement is not None:
            yield measurement.problem


def _said(report: Report) -> set[str]:
    """What visible checks say: of them, a student may know all."""
    return {
        text
        for check in report.checks
        if not check.hidden
        for text in (check.name, check.title, check.expected, check.received, check.hint)
    }


def _texts(value: Any) -> Iterator[str]:
    """Every text in JSON data, and numbers as texts."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str | int | float):
        yield str(value)
