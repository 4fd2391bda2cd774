"""Reports → ``grades.csv``: one row a student, one column a check."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from grader.records import Metric, Report
from grader.report.words import plain_text, summary

FORMULA = "=+\\-@＝＋－＠"  # noqa: RUF001 - some spreadsheets take these for the narrow ones
"""What a spreadsheet takes for the start of a formula."""
_FORMULA = re.compile(f"(^|;)([\\s\"']*)(?=[{FORMULA}])")


def cell(text: str) -> str:
    """A text that no spreadsheet executes.

    Also none that parts cells at semicolons, as where numbers have a decimal comma: there, a text
    is cut in two.
    """
    return _FORMULA.sub(r"\1\2'", plain_text(text))


def write_csv(reports: Sequence[Report], path: Path) -> None:
    """Write the class's grades (RFC 4180, UTF-8)."""
    names = [check.name for check in reports[0].checks] if reports else []
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "student",
                "points",
                "out_of",
                "ending",
                "needs_a_person",
                "accuracy",
                "error",
                *names,
                "summary",
            ]
        )
        for report in reports:
            earned = {check.name: check for check in report.checks}
            writer.writerow(
                [
                    cell(report.submission["student"]),
                    f"{report.points:g}",
                    f"{report.out_of:g}",
                    report.ending,
                    "yes" if report.needs_a_person else "no",
                    _value(report, "accuracy", ".4f"),
                    _value(report, "mean_squared_error", ".6g"),
                    *(
                        f"{earned[name].points:g}" if earned[name].outcome != "broken" else ""
                        for name in names
                    ),
                    cell(summary(report)),
                ]
            )


def _value(report: Report, metric: Metric, form: str) -> str:
    found = report.measurement
    if found is None or found.value is None or found.metric != metric:
        return ""
    return format(found.value, form)
