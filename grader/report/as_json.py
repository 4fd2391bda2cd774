"""Report → ``report.json``, the product that every other view is made from.

The fields are those of :class:`grader.records.Report`; ``docs/report.md`` lists them. NaN and
infinities are the strings ``"nan"``, ``"inf"`` and ``"-inf"``, since JSON has no such numbers.
"""

from pathlib import Path
from typing import Any

from grader.records import Report
from grader.report.students_copy import students_copy
from grader.safe.inert import inert_json
from grader.safe.plain import plain

NOT_FOR_STUDENTS = ("flags", "extra", "attempts", "withheld_notes")
"""Fields that are for the instructor alone."""


def as_data(report: Report, *, for_student: bool = False) -> dict[str, Any]:
    """Give a report as plain JSON data.

    Args:
        report: What to give.
        for_student: Give the student's copy of it.
    """
    if not for_student:
        return dict(plain(report))
    data: dict[str, Any] = plain(students_copy(report))
    return {name: value for name, value in data.items() if name not in NOT_FOR_STUDENTS}


def write_json(report: Report, path: Path) -> None:
    """Write ``report.json``."""
    path.write_bytes(inert_json(report, indent=2) + b"\n")
