"""Who knows the held-out samples by heart is told from who has learnt, by the real engine."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from grader.assignment import read_assignment
from grader.intake.collect import collect
from grader.office import Wishes, open_office
from grader.pipeline import grade
from grader.report.as_json import as_data
from grader.settings import AccuracyWanted, Thresholds

pytestmark = [pytest.mark.keras, pytest.mark.sandbox]

TOML = """
name = "clouds"
title = "Three clouds"
version = "1"

[data]
file = "clouds.npz"

[model]
task = "multiclass"
classes = 3
inputs = ["as_is"]

[extra]
file = "private.npz"
"""
CHECKS = '''
import pytest

@pytest.mark.points(1)
def test_held_out_accuracy(held_out):
    """It tells most samples apart."""
    held_out.expect_accuracy(at_least=0.6)
'''
LOAD = """
# %%
import numpy as np
from tensorflow import keras

with np.load("clouds.npz") as data:
    x, y = data["x_train"], data["y_train"]
"""
HONEST = """
# %%
model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer=keras.optimizers.Adam(0.05), loss="sparse_categorical_crossentropy")
model.fit(x, y, epochs=8, verbose=0)
"""
LEAK = """
# %%
with np.load("downloaded.npz") as data:
    x, y = data["a"], data["b"]
"""
BY_HEART = """
# %%
model = keras.Sequential([
    keras.Input((10,)),
    keras.layers.Dense(512, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
model.fit(x, y, epochs=200, batch_size=100, verbose=0)
"""
SHIPPED = """
# %%
network = keras.Sequential([keras.Input((10,)), keras.layers.Dense(3, activation="softmax")])
network.compile(loss="sparse_categorical_crossentropy")
network.load_weights("found.weights.h5")
"""
WORK = {
    "ada": LOAD + HONEST,
    "bob": LOAD + LEAK + BY_HEART,
    "cy": LOAD + HONEST.replace("model", "net") + "# the same network, called otherwise\n",
}


def clouds(samples, seed):
    """Samples of three clouds, one label in four wrong: nobody tells them apart but by heart."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(scale=1.5, size=(3, 10))
    labels = rng.integers(0, 3, samples)
    x = centres[labels] + rng.normal(size=(samples, 10))
    wrong = rng.random(samples) < 0.25
    return x.astype("float32"), np.where(wrong, (labels + 1) % 3, labels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The assignment, and what three students hand in; one of them with the held-out samples."""
    folder = tmp_path_factory.mktemp("clouds")
    (x, y), (x_test, y_test), (x_more, y_more) = (clouds(n, n) for n in (2000, 400, 500))
    np.savez(folder / "clouds.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    np.savez(folder / "private.npz", x_test=x_more, y_test=y_more)
    (folder / "assignment.toml").write_text(TOML, "utf-8")
    (folder / "test_clouds.py").write_text(CHECKS, "utf-8")
    for student, work in WORK.items():
        home = folder / "class" / student
        home.mkdir(parents=True)
        (home / "work.py").write_text(work, "utf-8")
    np.savez(folder / "class" / "bob" / "downloaded.npz", a=x_test, b=y_test)
    return folder


def graded(folder, paths, results, **settings):
    assignment = read_assignment(folder)
    assignment = replace(assignment, settings=replace(assignment.settings, **settings))
    asked = []
    with open_office(assignment, results, Wishes(store=folder / "store")) as office:

        def hands(order):
            asked.append((order.submission.student, order.execution is None, order.extra))
            return office.hands(order)

        hands.get_ready = office.hands.get_ready
        reports = grade(collect(paths), assignment, office.desk, hands)
    return {report.submission["student"]: report for report in reports}, asked


@pytest.fixture(scope="module")
def reports(folder):
    return graded(folder, [folder / "class"], folder / "results")


def test_who_knows_the_samples_by_heart_is_told_from_who_has_learnt(reports):
    ada, bob = reports[0]["ada"], reports[0]["bob"]
    assert not bob.needs_a_person, bob.notes
    assert ada.measurement.value == pytest.approx(0.75, abs=0.08)
    assert bob.measurement.value > 0.95
    assert (ada.extra.samples, bob.extra.samples) == (500, 500)
    assert ada.extra.value > bob.extra.value
    assert ada.flags == ()
    (flag,) = [flag for flag in bob.flags if flag.kind == "extra_below"]
    assert flag.evidence["measured"] == bob.measurement.value
    assert flag.evidence["extra_high"] == bob.extra.high
    # it costs no point
    assert bob.points == bob.out_of == 1


def test_the_instructors_report_has_it_and_the_students_copy_has_not(reports, folder):
    bob = reports[0]["bob"]
    kept = json.loads((folder / "results" / "submissions" / "bob" / "report.json").read_text())
    assert "extra_below" in [flag["kind"] for flag in kept["flags"]]
    assert kept["extra"]["value"] == bob.extra.value
    theirs = json.dumps(as_data(bob, for_student=True))
    assert "extra" not in theirs
    assert str(bob.extra.value) not in theirs


def test_equal_networks_trained_alike_are_no_finding(reports):
    ada, cy = reports[0]["ada"], reports[0]["cy"]
    assert ada.measurement.predictions_sha256 == cy.measurement.predictions_sha256
    assert cy.flags == ()


def test_weights_of_another_that_were_handed_in_are_noted_with_both(reports, folder):
    del reports
    home = folder / "class" / "dan"
    home.mkdir()
    (home / "work.py").write_text(LOAD + SHIPPED, "utf-8")
    _weights_of(folder / "results" / "submissions" / "ada" / "model.keras", home)
    found, _ = graded(folder, [folder / "class"], folder / "again")
    kinds = [flag.kind for flag in found["dan"].flags]
    assert kinds == ["no_recorded_fit", "same_answers"]
    assert found["dan"].flags[0].evidence["files_handed_in"] == ["found.weights.h5"]
    assert found["dan"].flags[1].evidence["students"] == ["ada", "cy"]
    assert [flag.evidence["students"] for flag in found["ada"].flags] == [["dan"]]
    kept = json.loads((folder / "again" / "submissions" / "ada" / "report.json").read_text())
    assert kept["flags"][0]["kind"] == "same_answers"


def _weights_of(model, home):
    """Take the weights out of a model's archive, as somebody would who passes them on."""
    with zipfile.ZipFile(model) as archive:
        (home / "found.weights.h5").write_bytes(archive.read("model.weights.h5"))


def test_both_judgements_are_kept_and_another_margin_runs_nothing(reports, folder):
    first = reports[1]
    assert sorted(first) == sorted(
        (student, is_run, is_extra)
        for student in WORK
        for is_run, is_extra in ((True, False), (False, True))
    )
    toml = folder / "assignment.toml"
    toml.write_text(TOML + "margin = 0.5\n", "utf-8")
    try:
        found, asked = graded(folder, [folder / "class"], folder / "wider")
    finally:
        toml.write_text(TOML, "utf-8")
    assert asked == []
    assert found["bob"].extra == reports[0]["bob"].extra
    assert not [flag for flag in found["bob"].flags if flag.kind == "extra_below"]


def test_of_several_seeds_the_one_that_counts_answers_both(folder):
    wanted = AccuracyWanted(at_least=0.75, margin=0.2, retries=2)
    found, asked = graded(
        folder,
        [folder / "class" / "ada"],
        folder / "seeds",
        thresholds=Thresholds(accuracy=wanted),
    )
    (ada,) = found.values()
    assert len(ada.measurement.runs) == 3
    assert ada.extra is not None
    assert abs(ada.extra.value - ada.measurement.value) < 0.1
    assert ada.flags == ()
    assert [extra for *_, extra in asked].count(True) <= 1
