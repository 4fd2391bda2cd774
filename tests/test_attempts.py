"""Versions of a student's work are counted, once each, and only those of the assignment."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from grader.assignment import read_assignment
from grader.attempts import Attempts
from grader.report.terminal import show_class
from grader.store import Store
from grader.tally import tally


@pytest.fixture
def assignment(assignment_folder, little_toml):
    return read_assignment(assignment_folder(little_toml, "x = 1"))


@pytest.fixture
def count(make, assignment, tmp_path):
    """Have versions of a student's work graded, one call after the other."""

    def go(*changes, by=assignment):
        found = {}
        for change in changes:
            with Store(tmp_path / "store") as store:
                submission = make.submission(**change)
                found = {submission.student: Attempts(by, store).note(submission)}
        return found

    return go


def version(number, **changes):
    return {"cells": (f"print({number})",), **changes}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ([version(1)], {"ada": 1}),
        ([version(1), version(1)], {"ada": 1}),
        ([version(1), version(2), version(1), version(3)], {"ada": 3}),
        ([version(1), version(1, notebook={"cells": []}, origin="again.ipynb")], {"ada": 1}),
        ([version(1), version(1, files={"w.h5": b"1"}), version(1, files={"w.h5": b"2"})],
         {"ada": 3}),
        ([version(1), version(2, student="ben")], {"ben": 1}),
        ([version(1), version(2, problem="it is empty")], {"ada": 1}),
    ],
)  # fmt: skip
def test_a_version_is_what_would_run_otherwise(count, changes, wanted):
    assert count(*changes) == wanted


def test_another_version_of_the_assignment_makes_no_new_one_of_the_work(count, assignment):
    later = replace(assignment, settings=replace(assignment.settings, version="2", seed=8))
    other = replace(assignment, settings=replace(assignment.settings, name="other"))
    assert count(version(1), version(2)) == {"ada": 2}
    assert count(version(2), by=later) == {"ada": 2}
    assert count(version(2), by=other) == {"ada": 1}


def test_a_pruned_store_has_forgotten(count, tmp_path):
    count(version(1), version(2))
    with Store(tmp_path / "store") as store:
        assert store.prune(older_than=timedelta(0)).entries == 2
    assert count(version(3)) == {"ada": 1}


def test_the_class_shows_versions_where_somebody_has_several(make, assignment, bench):
    report = tally(make.evidence(), (), assignment, bench)
    console = Console(width=150, file=io.StringIO())
    show_class([replace(report, attempts=1)], console)
    assert "versions" not in console.file.getvalue()
    show_class([replace(report, attempts=1), replace(report, attempts=12)], console)
    assert "versions" in console.file.getvalue()
    assert " 12 " in console.file.getvalue()
