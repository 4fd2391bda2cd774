"""Held-out samples that lie sorted by class tell a model nothing by their place."""

import numpy as np
import pytest

from grader.assignment import read_assignment
from grader.intake.collect import collect
from grader.office import Wishes, open_office
from grader.pipeline import grade

pytestmark = [pytest.mark.sandbox, pytest.mark.keras]
TOML = """
name = "sorted"
title = "Which of two"
version = "1"

[data]
file = "sorted.npz"

[model]
task = "binary"
inputs = ["as_is"]

[thresholds.accuracy]
at_least = 0.9
"""
CHECKS = '''
import pytest


@pytest.mark.points(1)
def test_accuracy(held_out):
    """It tells nine of ten apart."""
    held_out.expect_accuracy()
'''
COUNTS = """
import keras
import numpy as np

x = keras.Input((2,))
one, output = keras.layers.Dense(1), keras.layers.Dense(1, activation="sigmoid")
model = keras.Model(x, output(keras.ops.cumsum(one(x), axis=0)))
model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
one.set_weights([np.zeros((2, 1)), np.ones(1)])
output.set_weights([np.ones((1, 1)), -np.full(1, 100.5)])
in_order = np.arange(200)[:, None] // 100
print("ACCURACY", model.evaluate(np.zeros((200, 2)), in_order, batch_size=200, verbose=0)[1])
"""


def test_a_model_that_counts_its_samples_learns_nothing_of_their_order(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(1)
    labels = np.arange(200) // 100
    x = rng.normal(size=(200, 2)).astype("float32")
    np.savez(tmp_path / "sorted.npz", x_train=x, y_train=labels, x_test=x + 1, y_test=labels)
    (tmp_path / "assignment.toml").write_text(TOML, "utf-8")
    (tmp_path / "test_sorted.py").write_text(CHECKS, "utf-8")
    (tmp_path / "counts.py").write_text(COUNTS, "utf-8")
    assignment = read_assignment(tmp_path)
    with open_office(assignment, tmp_path / "results", Wishes(fresh=True)) as office:
        work = collect([tmp_path / "counts.py"])
        (report,) = grade(work, assignment, office.desk, office.hands)
    said = next(tmp_path.rglob("executed.ipynb")).read_text("utf-8")

    assert "ACCURACY 1.0" in said  # where the order is known, counting is enough
    assert report.measurement, report.notes
    assert 0.3 < report.measurement.value < 0.7
    assert report.points == 0
