"""What several views say in the same words."""

from collections.abc import Mapping

from grader.checks.performance import measured_words
from grader.records import CheckResult, Feedback, Measurement, Metric, Report
from grader.safe.inert import one_line

MARKS = {"passed": "✓", "failed": "✗", "skipped": "–", "broken": "!"}
FLAG = "⚑"
"""Before what an instructor may want to look at."""
METRICS: Mapping[Metric, str] = {"accuracy": "Accuracy", "mean_squared_error": "Error"}
LONGEST_ERROR = 200
"""Characters of an error's own words, where what matters most is said in one line."""
LONGEST = 4000
"""Characters of one line: no explanation of ours is as long."""


def plain_text(text: str) -> str:
    """A stranger's text on one line, without escapes and without marks that turn its direction."""
    return one_line(text, LONGEST)


def short(measurement: Measurement | None) -> str:
    """What was measured, for a column of a table; empty when nothing was."""
    if measurement is None or measurement.value is None:
        return ""
    value = measurement.value
    return f"{100 * value:.1f} %" if measurement.metric == "accuracy" else f"{value:.2g}"


def told_words(measurement: Measurement, feedback: Feedback) -> str:
    """What a student is told was measured: ``85–90 % of 10,000`` when told in bands."""
    low, high = measurement.low, measurement.high
    if feedback != "banded" or low is None or high is None:
        return measured_words(measurement)
    if measurement.metric == "accuracy":
        return f"{100 * low:.0f}–{100 * high:.0f} % of {measurement.samples:,}"
    return f"{low:g}–{high:g} over {measurement.samples:,}"


def summary(report: Report) -> str:
    """One line: what matters most about a report."""
    if report.ending == "unreadable":
        return report.notes[0] if report.notes else "It could not be read."
    broken = [check for check in report.checks if check.outcome == "broken"]
    if broken or report.needs_a_person:
        reason = broken[0].hint if broken else next(iter(report.notes), "")
        return f"A person must look: {reason}"
    failed = [check for check in report.checks if check.outcome == "failed"]
    if not failed:
        return "Everything is right."
    errors = [cell for cell in report.cells if cell["error"]]
    if errors and not any(fit.completed for fit in report.fits):
        error = errors[0]["error"]
        line = f", line {error['line']}" if error["line"] else ""
        place = f"Cell {errors[0]['number']}{line}"
        said = f"{place}: {error['kind']}: {error['message']}"[:LONGEST_ERROR]
        return f"{said} → {error['hint']}" if error["hint"] else said
    if report.ending not in ("finished", "raised") and report.notes:
        return report.notes[0]
    return verdict(failed[0])


def verdict(check: CheckResult) -> str:
    """A failed check in one line."""
    if check.expected:
        return f"Expected {check.expected}; received {check.received}." + (
            f" {check.hint}" if check.hint else ""
        )
    return check.hint or f"Not met: {check.title}"
