"""An assignment may do without a data set, without a model, and without both."""

import pytest

from grader.assignment import read_assignment
from grader.checks.session import list_checks
from grader.choose import choose
from grader.cluster.parcel import pack, unpack
from grader.datasets import nothing
from grader.errors import AssignmentError
from grader.intake.collect import collect
from grader.measure import measure
from grader.office import open_office
from grader.pipeline import grade

BARE = """
name = "little"
title = "A little assignment"
version = "1"
"""
CHECK = """
import pytest

@pytest.mark.points(1)
def test_it({fixture}):
    '''It is good.'''
"""


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "cache"))


def test_data_and_model_may_be_left_out(assignment_folder):
    settings = read_assignment(assignment_folder(BARE, CHECK)).settings
    assert (settings.data, settings.model) == (None, None)


@pytest.mark.parametrize(
    ("fixture", "says"),
    [
        ("model", r"asks for `model`, and assignment.toml has no \[model\]"),
        ("history", r"has no \[model\]"),
        ("held_out", r"has no \[data\] and no \[model\]"),
    ],
)
def test_a_check_of_what_the_assignment_does_not_have_is_told_before_anything_runs(
    assignment_folder, fixture, says
):
    folder = assignment_folder(BARE, CHECK.format(fixture=fixture))
    with pytest.raises(AssignmentError, match=says):
        list_checks(read_assignment(folder))


def test_nothing_is_served_here_and_on_a_cluster(tmp_path):
    here = nothing()
    (tmp_path / "there").mkdir()
    there = unpack(pack(here), tmp_path / "there")
    for dataset in (here, there):
        assert list(dataset.served.iterdir()) == list(dataset.held_out.iterdir()) == []
        assert (dataset.samples, dataset.description) == (0, "no data set")


def test_where_no_model_is_judged_none_is_missing(make):
    found = choose(make.execution(models=(), chosen=None, fits=()), None)
    assert (found.chosen, found.problem) == (None, "")
    assert choose(make.execution(), None).chosen is None


def test_without_data_nothing_is_measured(make, assignment_folder, little_toml):
    toml = little_toml.replace('[data]\nset = "mnist"\n', "")
    assignment = read_assignment(assignment_folder(toml, CHECK))
    assert measure(make.card(), assignment, nothing(), {}.get) is None


@pytest.mark.keras
@pytest.mark.sandbox
def test_a_model_is_examined_without_data(assignment_folder, little_toml, tmp_path):
    code = """
import keras
model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, activation="softmax")])
model.compile("sgd", "categorical_crossentropy")
"""
    checks = CHECK.format(fixture="model") + "    model.expect_trainable_params(7850)\n"
    toml = little_toml.replace('[data]\nset = "mnist"\n', "")
    assignment = read_assignment(assignment_folder(toml, checks))
    (tmp_path / "ada.py").write_text(code, "utf-8")
    with open_office(assignment, tmp_path / "results") as office:
        (report,) = grade(collect([tmp_path / "ada.py"]), assignment, office.desk, office.hands)
    assert (report.points, report.needs_a_person) == (1, False)
    assert (report.measurement, report.data["source"]) == (None, "none")
