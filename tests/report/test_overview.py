"""What a class is told beneath its table, and how long a list of evidence may get."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from grader.assignment import read_assignment
from grader.records import CheckResult
from grader.report.overview import show_overview
from grader.report.shelf import show_entries
from grader.store import Entry
from grader.tally import tally


def printed(show, *args, **options):
    stream = io.StringIO()
    show(*args, Console(file=stream, width=100, highlight=False), **options)
    return stream.getvalue()


@pytest.fixture
def report(make, bench, assignment_folder):
    """Make a report: ``report(passed checks of the three)``."""
    assignment = read_assignment(assignment_folder(checks="def test_a():\n    pass\n"))

    def build(*passed, broken=False):
        results = [
            CheckResult(
                name=f"test_{name}",
                title=title,
                outcome="broken" if broken else "passed" if name in passed else "failed",
                points=2.0 * (name in passed),
                out_of=2.0,
                hidden=False,
            )
            for name, title in (("a", "It is a."), ("b[0]", "It is b."), ("b[1]", "It is b."))
        ]
        return tally(make.evidence(), tuple(results), assignment, bench)

    return build


def test_a_class_hears_its_average_and_what_fewest_have_passed(report):
    text = printed(show_overview, [report("a", "b[0]", "b[1]"), report("a"), report("a", "b[0]")])
    assert text.splitlines() == [
        "3 submissions; on average 67 % of the points, half of them 67 % or more.",
        "  passed by 1 of 3: It is b.",
    ]


def test_who_needs_a_person_is_counted_and_broken_checks_are_in_no_share(report):
    every = ("a", "b[0]", "b[1]")
    text = printed(show_overview, [report(broken=True), report(*every), report(*every)])
    assert text.startswith("3 submissions; on average 100 % of the points")
    assert "; 1 needs a person." in text


def test_of_two_the_table_says_it_all(report):
    assert printed(show_overview, [report("a"), report()]) == ""


def test_a_long_list_of_evidence_is_cut_and_counted():
    made = datetime(2026, 1, 2, tzinfo=UTC)
    entries = [
        Entry(key=f"{n:064x}", kind="run", facts=b"", blobs={}, about={}, made=made, size=1000)
        for n in range(5)
    ]
    text = printed(show_entries, iter(entries), most=2)
    assert text.count("2026-01-02") == 2
    assert "3 entries more: --limit 0 shows all." in text
    assert "5 entries" in text
    assert printed(show_entries, iter(entries)).count("2026-01-02") == 5
