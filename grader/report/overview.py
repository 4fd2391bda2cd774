"""A class as a whole: how it did, and what most of it has not understood."""

from collections import Counter
from collections.abc import Sequence
from statistics import mean, median

from rich.console import Console
from rich.text import Text

from grader.checks.verdict import count
from grader.records import Report
from grader.report.words import plain_text

FEWEST = 3
"""Of fewer submissions, the table says it all."""
HARDEST = 3
"""Checks that are named."""


def show_overview(reports: Sequence[Report], console: Console) -> None:
    """Print a class's points, who needs a person, and the checks that fewest have passed.

    Points of checks that are broken are in neither sum, so that shares are compared, not points.
    """
    if len(reports) < FEWEST:
        return
    shares = [report.points / report.out_of for report in reports if report.out_of]
    parts = [f"{count(len(reports), 'submission')}"]
    if shares:
        middle = f"half of them {_percent(median(shares))} or more"
        parts.append(f"on average {_percent(mean(shares))} of the points, {middle}")
    needed = sum(report.needs_a_person for report in reports)
    if needed:
        parts.append(f"{needed} {'needs' if needed == 1 else 'need'} a person")
    console.print(Text(f"{'; '.join(parts)}."))
    for title, passed in _hardest(reports):
        line = f"  passed by {passed} of {len(reports)}: {plain_text(title)}"
        console.print(Text(line, "dim"))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _hardest(reports: Sequence[Report]) -> list[tuple[str, int]]:
    """Titles of the checks that fewest have passed; of several with one title, the hardest."""
    passed: Counter[str] = Counter()
    titles: dict[str, str] = {}
    for report in reports:
        for check in report.checks:
            titles.setdefault(check.name, check.title)
            passed[check.name] += check.outcome == "passed"
    fewest: dict[str, int] = {}
    for name, title in titles.items():
        fewest[title] = min(passed[name], fewest.get(title, len(reports)))
    missed = [(title, number) for title, number in fewest.items() if number < len(reports)]
    return sorted(missed, key=lambda pair: pair[1])[:HARDEST]
