"""Each folder of ``tests/submissions`` is a submission with the verdict it must get.

``expected.toml`` may hold: ``assignment`` (else ``mnist_softmax``), ``ending``, ``points``,
``needs_a_person``, ``[checks]`` (name → outcome), ``flags`` (their kinds; none when left out),
``error`` (the first cell's that raised), ``notes`` (each a part of some note), ``outcomes`` (of the
cells), ``outputs`` (a kind of output that a cell shows), ``absent`` (what must stand nowhere in the
results), ``make`` (a file too large to be kept).
"""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from grader.assignment import find_assignment, read_assignment
from grader.intake.collect import collect
from grader.office import Wishes, open_office
from grader.pipeline import grade
from grader.settings import LimitsWanted

CASES = sorted(path.parent for path in Path(__file__).parent.glob("submissions/*/expected.toml"))

pytestmark = [pytest.mark.sandbox, pytest.mark.keras]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Grade all cases of an assignment as one class: case → (report, desk)."""
    found = {}
    for name in ("mnist_softmax", "mnist_dense", "imdb_dense"):
        found |= _grade(name, tmp_path_factory.mktemp(name))
    assert set(found) == {case.name for case in CASES}
    return found


def _grade(name, folder):
    assignment = read_assignment(find_assignment(name))
    if name == "mnist_softmax":
        # Small limits, so that what never ends ends soon; large enough for what ends by itself.
        limits = LimitsWanted(wall_s=40, memory_gib=2, output_mib=1, disk_gib=0.25)
        assignment = replace(assignment, settings=replace(assignment.settings, limits=limits))
    submissions = []
    for case in CASES:
        expected = tomllib.loads((case / "expected.toml").read_text("utf-8"))
        if expected.get("assignment", "mnist_softmax") == name:
            (submission,) = collect([_path(case, expected, folder)])
            submissions.append(replace(submission, student=case.name))
    wishes = Wishes(jobs=2, fresh=True)
    with open_office(assignment, folder / "results", wishes) as office:
        reports = grade(submissions, assignment, office.desk, office.hands, jobs=office.jobs)
    return {report.submission["student"]: (report, office.desk) for report in reports}


def _path(case, expected, folder):
    if made := expected.get("make"):
        path = folder / made["name"]
        path.write_bytes(made["byte"].encode() * made["times"])
        return path
    handed_in = [path for path in case.iterdir() if path.name != "expected.toml"]
    if len(handed_in) == 1:
        return handed_in[0]
    # A folder of several files is handed in as one student's.
    whole = folder / f"{case.name}-class" / case.name
    whole.mkdir(parents=True)
    for path in handed_in:
        (whole / path.name).write_bytes(path.read_bytes())
    return whole.parent


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_submission_gets_its_verdict(graded, case):
    expected = tomllib.loads((case / "expected.toml").read_text("utf-8"))
    report, desk = graded[case.name]
    folder = desk.folder(case.name)
    outcomes = {check.name: check.outcome for check in report.checks}

    assert report.ending == expected.get("ending", report.ending), report.notes
    assert report.points == expected.get("points", report.points)
    assert report.needs_a_person == expected.get("needs_a_person", False)
    assert expected.get("checks", {}).items() <= outcomes.items(), report.checks
    assert [flag.kind for flag in report.flags] == expected.get("flags", []), report.flags
    for note in expected.get("notes", ()):
        assert any(note in text for text in report.notes), report.notes
    if error := expected.get("error"):
        first = next(cell for cell in report.cells if cell["error"])
        assert first["number"] == error["cell"]
        assert first["error"]["kind"] == error["kind"]
        assert first["error"]["line"] == error.get("line", first["error"]["line"])
        assert error.get("message", "") in first["error"]["message"]
        assert error.get("traceback", "") in first["error"]["traceback"]
    if wanted := expected.get("outcomes"):
        unusual = {cell["number"]: cell["outcome"] for cell in report.cells}
        assert [unusual.get(n, "ok") for n in range(1, len(wanted) + 1)] == wanted
    if shown := expected.get("outputs"):
        notebook = nbformat.read(folder / "executed.ipynb", as_version=4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        kinds = {
            kind for output in code[shown["cell"] - 1].outputs for kind in output.get("data", ())
        }
        assert shown["type"] in kinds
    if absent := expected.get("absent"):
        for path in folder.iterdir():
            assert absent.encode() not in path.read_bytes()
    assert json.loads((folder / "report.json").read_text("utf-8"))["ending"] == report.ending
