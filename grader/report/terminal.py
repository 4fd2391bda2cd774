"""Reports → the terminal: a table of the class, or one student's checks."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.checks.verdict import count
from grader.records import Report
from grader.report.alignment import show_alignment
from grader.report.students_copy import students_copy
from grader.report.words import (
    FLAG,
    MARKS,
    METRICS,
    plain_text,
    short,
    summary,
    told_words,
    verdict,
)

MOST_ROWS = 40
"""Of a traceback: its end says what happened."""
MOST_FLAGGED = 20
"""Submissions whose flags are printed; the rest is counted."""
STYLES = {"passed": "green", "failed": "red", "skipped": "yellow", "broken": "magenta"}


def show_class(reports: Sequence[Report], console: Console) -> None:
    """Print one line a student."""
    table = Table(title=_title(reports), title_justify="left", expand=False)
    table.add_column("student", overflow="fold")
    again = any(report.attempts > 1 for report in reports)
    if again:
        table.add_column("versions", justify="right", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("checks", no_wrap=True)
    table.add_column(_column(reports), justify="right", no_wrap=True)
    table.add_column("what happened", overflow="fold")
    for report in reports:
        table.add_row(
            Text(plain_text(report.submission["student"])),
            *([str(report.attempts)] if again else []),
            f"{report.points:g} / {report.out_of:g}",
            _marks(report),
            short(report.measurement),
            Text(plain_text(summary(report))),
        )
    console.print(table)
    _show_flags(reports, console)


def _show_flags(reports: Sequence[Report], console: Console) -> None:
    """Say who is worth a look, and why; students never see it."""
    flagged = [report for report in reports if report.flags]
    for report in flagged[:MOST_FLAGGED]:
        student = plain_text(report.submission["student"])
        for flag in report.flags:
            line = Text(f" {FLAG} ", "yellow")
            console.print(line + Text(f"{student}: {plain_text(flag.sentence)}", "default"))
    if len(flagged) > MOST_FLAGGED:
        more = count(len(flagged) - MOST_FLAGGED, "more submission")
        console.print(Text(f" {FLAG} and {more}: see `flags` in results.json", "dim"))


def _column(reports: Sequence[Report]) -> str:
    metrics = [report.measurement.metric for report in reports if report.measurement]
    return METRICS[metrics[0]].lower() if metrics else "accuracy"


def _title(reports: Sequence[Report]) -> str:
    return f"{reports[0].assignment['title']} ({len(reports)})" if reports else "Nothing was graded"


def _marks(report: Report) -> Text:
    text = Text()
    for check in report.checks:
        text.append(MARKS[check.outcome], STYLES[check.outcome])
    return text


def show_one(report: Report, console: Console) -> None:
    """Print the student's copy of a report: each check with its explanation."""
    report = students_copy(report)
    console.print(
        Text(
            f"{report.assignment['title']}: {plain_text(report.submission['origin'])}",
            "bold",
        )
    )
    for check in report.checks:
        line = Text(f" {MARKS[check.outcome]} ", STYLES[check.outcome])
        line.append(plain_text(check.title), "default")
        line.append(f"  {check.points:g}/{check.out_of:g}", "dim")
        console.print(line)
        if check.outcome == "failed":
            console.print(Text(f"     {plain_text(verdict(check))}", "default"))
            show_alignment(check.alignment, console)
        elif check.hint:
            console.print(Text(f"     {plain_text(check.hint)}", "dim"))
    for cell in report.cells:
        if cell["error"]:
            console.print(Text(f"\n Cell {cell['number']} raised:", "red"))
            rows = str(cell["error"]["traceback"]).splitlines()
            for row in rows if len(rows) <= MOST_ROWS else ["…", *rows[-MOST_ROWS:]]:
                console.print(Text(f"   {plain_text(row)}", "dim"))
            if cell["error"]["hint"]:
                console.print(Text(f"   → {plain_text(cell['error']['hint'])}", "default"))
    for note in report.notes:
        console.print(Text(f" · {plain_text(note)}", "dim"))
    _show_measurements(report, console)
    console.print(Text(f" {report.points:g} of {report.out_of:g} points", "bold"))
    if report.not_run["checks"]:
        number, points = report.not_run["checks"], report.not_run["points"]
        more = "check is" if number == 1 else "checks are"
        worth = count(points, "point")
        console.print(f" {number:g} more {more} run when it is graded, worth {worth}.")


def _show_measurements(report: Report, console: Console) -> None:
    for name, measurement in {"": report.measurement, **report.measurements}.items():
        if measurement and measurement.value is not None:
            of = f" of {name}" if name else ""
            what = f"{METRICS[measurement.metric]}{of} on held-out data"
            how = "" if measurement.where == "judge" else ", by its own code: the weaker kind"
            console.print(Text(f" {what}: {told_words(measurement, report.feedback)}{how}"))


def show_proposal(reference: Report, untouched: Report, console: Console) -> None:
    """Print a new assignment's checks, and that they hold for the reference and for nobody else."""
    for check in reference.checks:
        line = Text(f" {MARKS[check.outcome]} ", STYLES[check.outcome])
        line.append(f"{check.title}  {check.points:g}/{check.out_of:g}", "default")
        console.print(line + Text("  hidden" if check.hidden else "", "dim"))
    console.print(
        f"The reference gets {reference.points:g} of {reference.out_of:g} points, "
        f"the untouched handout {untouched.points:g}."
    )


def show_circumstances(report: Report, console: Console) -> None:
    """Print which data and which isolation stand behind the grades."""
    console.print(Text(f"Data: {report.data['description']}", "dim"))
    console.print(Text(report.isolation["description"], "dim"))
