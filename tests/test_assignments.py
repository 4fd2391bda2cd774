"""The shipped assignments grade what they were written for."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from grader.assignment import find_assignment, read_assignment
from grader.authoring.release import handout
from grader.intake.collect import collect
from grader.office import Wishes, open_office
from grader.pipeline import grade
from grader.report.as_json import as_data

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.parent.name for path in ROOT.glob("assignments/*/assignment.toml"))
FLOORS = {
    "mnist_softmax": 0.90,
    "mnist_dense": 0.97,
    "mnist_mlp": 0.972,
    "mnist_dropout": 0.975,
    "mnist_cnn": 0.985,
    "imdb_dense": 0.86,
    "imdb_regularization": 0.84,
    "cifar10_cnn": 0.60,
}
"""What the lectures reach on the real data, where an assignment has any."""
REAL = Path(os.environ.get("GRADER_DATA") or ROOT.parent / "shared" / "data")


def run(name, paths, results, **wishes):
    assignment = read_assignment(find_assignment(name))
    with open_office(assignment, results, Wishes(fresh=True, **wishes)) as office:
        reports = grade(collect(paths), assignment, office.desk, office.hands, jobs=office.jobs)
    return {report.submission["student"]: report for report in reports}


@pytest.mark.parametrize("name", NAMES)
def test_the_handout_is_what_the_solution_makes(name):
    made = handout(ROOT / "solutions" / f"{name}.py", name)
    kept = (ROOT / "assignments" / name / "handout.ipynb").read_text("utf-8")
    assert made == kept, "The handout is stale: run `make docs`."
    assert "SOLUTION" not in kept


@pytest.mark.sandbox
@pytest.mark.keras
@pytest.mark.parametrize("name", NAMES)
def test_the_solution_gets_full_marks_and_the_untouched_handout_none(name, tmp_path):
    paths = [ROOT / "solutions" / f"{name}.py", ROOT / "assignments" / name / "handout.ipynb"]
    reports = run(name, paths, tmp_path)
    solution, untouched = reports[name], reports["handout"]
    assert solution.points == solution.out_of > 0, solution.checks
    assert solution.ending == "finished"
    assert not solution.needs_a_person
    assert untouched.points == 0
    assert not untouched.needs_a_person


@pytest.mark.sandbox
@pytest.mark.keras
@pytest.mark.real_data
@pytest.mark.parametrize("name", FLOORS)
def test_on_the_real_data_the_solution_reaches_the_lectures_accuracy(name, tmp_path, request):
    if name.startswith("cifar10"):
        data = request.getfixturevalue("real_cifar10")
    elif (REAL / "mnist.npz").is_file():
        data = REAL
    else:
        pytest.skip(f"no real data in {REAL}")
    report = run(name, [ROOT / "solutions" / f"{name}.py"], tmp_path, data=data)[name]
    assert report.data["source"] == "directory"
    assert report.measurement.value >= FLOORS[name]
    assert report.measurement.samples == (25_000 if name.startswith("imdb") else 10_000)
    assert report.points == report.out_of


@pytest.mark.sandbox
@pytest.mark.keras
def test_each_sample_of_the_demo_gets_its_verdict(tmp_path):
    samples = ROOT / "assignments" / "mnist_softmax" / "samples"
    expected = tomllib.loads((samples / "expected.toml").read_text("utf-8"))
    reports = run("mnist_softmax", [samples], tmp_path)
    assert set(reports) == set(expected)
    for student, wanted in expected.items():
        report = reports[student]
        failed = {check.name for check in report.checks if check.outcome != "passed"}
        assert not report.needs_a_person
        if "points" in wanted:
            assert report.points == wanted["points"], (student, report.checks)
        else:
            assert set(wanted["failed"]) <= failed, (student, report.checks)
            assert report.points < report.out_of


@pytest.mark.sandbox
@pytest.mark.keras
def test_the_same_work_gets_the_same_grade_twice(tmp_path):
    paths = [
        ROOT / "assignments" / "mnist_softmax" / "samples" / name
        for name in ("ada.ipynb", "chen.py")
    ]
    first = run("mnist_softmax", paths, tmp_path / "first")
    second = run("mnist_softmax", paths, tmp_path / "second")
    for student in ("ada", "chen"):
        one, two = (tmp_path / run / "submissions" / student for run in ("first", "second"))
        assert (one / "predictions.f32").read_bytes() == (two / "predictions.f32").read_bytes()
        assert _without_times(first[student]) == _without_times(second[student])


def _without_times(report):
    data = as_data(report)
    del data["seconds"]
    for fit in data["fits"]:
        del fit["seconds"]
    return json.dumps(data, sort_keys=True)
