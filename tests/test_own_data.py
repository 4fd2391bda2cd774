"""An assignment with data of its own is graded from end to end, by the real engine."""

import numpy as np
import pytest

from grader.assignment import read_assignment
from grader.intake.collect import collect
from grader.office import Wishes, open_office
from grader.pipeline import grade

pytestmark = [pytest.mark.keras, pytest.mark.sandbox]

TOML = """
name = "waves"
title = "Slow and fast waves"
version = "1"

[data]
file = "waves.npz"

[model]
task = "binary"
inputs = ["as_is"]
"""
CHECKS = '''
import pytest

@pytest.mark.points(1)
def test_held_out_accuracy(held_out):
    """It tells most waves apart."""
    held_out.expect_accuracy(at_least=0.9)
'''
WORK = """
# %%
import numpy as np
from tensorflow import keras

with np.load("waves.npz") as data:
    x, y, x_test = data["x_train"], data["y_train"], data["x_test"]
print("rows", len(x), len(x_test), "held out", int((x_test > 1.2).sum()))

# %%
model = keras.Sequential([
    keras.Input((20, 1)),
    keras.layers.Conv1D(4, 5, activation="relu"),
    keras.layers.GlobalMaxPooling1D(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.Adam(0.03), loss="binary_crossentropy")
model.fit(x, y, epochs=6, verbose=0)
"""


def waves(samples, seed):
    """Sines of two frequencies: ``(samples, 20, 1)``, and which of the two each is."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, samples)
    phase = rng.uniform(0, 6, (samples, 1))
    time = np.linspace(0, 1, 20)
    x = np.sin((4 + 16 * labels[:, None]) * time + phase)
    return x[..., None].astype("float32"), labels


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Grade the same work as the instructor, and as a student who was given no training data."""
    folder = tmp_path_factory.mktemp("waves")
    (x, y), (x_test, y_test) = waves(600, 1), waves(200, 2)
    x_test[:, 0] = 1.5  # what no student may ever see
    np.savez(folder / "waves.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    (folder / "assignment.toml").write_text(TOML, "utf-8")
    (folder / "test_waves.py").write_text(CHECKS, "utf-8")
    ada = folder / "class" / "ada"
    ada.mkdir(parents=True)
    (ada / "work.py").write_text(WORK, "utf-8")
    (ada / "waves.npz").write_bytes(b"what she handed in is not what she is served")
    copy = folder / "copy"
    copy.mkdir()
    np.savez(copy / "waves.npz", x_test=x_test[:0], y_test=y_test[:0])
    (folder / "blind.py").write_text(
        WORK.partition("with np")[0]
        + "x, y = np.random.rand(64, 20, 1), np.arange(64) % 2\n"
        + WORK[WORK.index("# %%\nmodel") :],
        "utf-8",
    )
    assignment = read_assignment(folder)
    found = {}
    for name, paths, data in (
        ("full", [folder / "class"], None),
        ("copy", [folder / "blind.py"], copy),
    ):
        results = folder / name
        with open_office(assignment, results, Wishes(fresh=True, data=data)) as office:
            (found[name],) = grade(collect(paths), assignment, office.desk, office.hands)
        found[f"{name} notebook"] = next(results.rglob("executed.ipynb")).read_text("utf-8")
    return found


def test_the_notebook_finds_the_file_and_the_judge_measures_the_rows_as_they_are(reports):
    report = reports["full"]
    assert report.ending == "finished", report.cells
    assert "rows 600 200 held out 0" in reports["full notebook"]
    assert report.measurement.form == "rows of 20 × 1, as they are"
    assert report.measurement.samples == 200
    assert report.checks[0].outcome == "passed", report.checks
    assert report.data["source"] == "own"
    assert "600 training samples, 200 held out" in report.data["description"]


def test_where_nothing_is_held_out_the_accuracy_is_left_open(reports):
    report = reports["copy"]
    assert report.models[0]["judged"]
    assert report.checks[0].outcome == "skipped"
    assert "when the work is graded" in report.checks[0].hint
    assert not report.needs_a_person
