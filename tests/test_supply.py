"""An assignment gets the data it names, if that suits what it asks."""

import numpy as np
import pytest

from grader.assignment import read_assignment
from grader.errors import AssignmentError, DataError
from grader.judging.forms import candidate_forms
from grader.supply import supply


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def supplied(assignment_folder, little_toml):
    """Supply the little assignment with data of its own."""

    def give(sample=(20, 1), labels=None, inputs="as_is", task="multiclass", classes=3):
        text = (
            little_toml.replace('set = "mnist"', 'file = "own.npz"')
            .replace('["vector"]', f'["{inputs}"]')
            .replace("multiclass", task)
            .replace("classes = 10", f"classes = {classes}")
        )
        folder = assignment_folder(text, "def test_x(): pass")
        x = np.arange(6 * np.prod(sample), dtype="float32").reshape(6, *sample)
        y = np.arange(6) % 3 if labels is None else np.asarray(labels)
        np.savez(folder / "own.npz", x_train=x, y_train=y, x_test=x + 1, y_test=y)
        return supply(read_assignment(folder))

    return give


@pytest.mark.parametrize(
    ("sample", "shapes"),
    [
        ((20, 1), [(20, 1)]),
        ((20,), [(20,), (20, 1)]),
        ((20, 3), [(20, 3), (20, 3, 1)]),
        ((), [(), (1,)]),
        ((2, 3, 4, 5), [(2, 3, 4, 5), (2, 3, 4, 5, 1)]),
    ],
)
def test_rows_as_they_are_keep_their_shape_and_their_values(supplied, sample, shapes):
    forms = candidate_forms(["as_is"], supplied(sample), None)
    assert [form.shape for form in forms] == shapes
    assert {(form.scale, form.shift, form.by_feature) for form in forms} == {(1.0, 0.0, False)}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"inputs": "padded"}, "'padded' does not suit own, whose samples are rows of shape (20,"),
        ({"inputs": "image", "sample": (20,)}, "the samples of own have the shape (20,)"),
        ({"labels": [0, 1, 2, 3, 0, 1]}, "whole numbers from 0 to 2"),
        ({"labels": np.eye(6, 3)}, "Received: labels of shape (6, 3), float64, 0…1"),
        ({"labels": [0.5] * 6}, "Received: labels of shape (6,), float64, 0.5…0.5"),
        ({"task": "binary", "classes": 1}, "whole numbers from 0 to 1"),
    ],
)
def test_what_does_not_suit_is_said_before_anything_runs(supplied, changes, says):
    with pytest.raises((AssignmentError, DataError)) as caught:
        supplied(**changes)
    assert says in str(caught.value)
    assert "assignment.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "classes"), [([0.5, 1, 2, -3, 0, 1], 1), (np.ones((6, 1)), 1), (np.eye(6, 3), 3)]
)
def test_numbers_to_be_predicted_may_be_any(supplied, labels, classes):
    assert supplied(task="regression", labels=labels, classes=classes).samples == 6


@pytest.mark.parametrize(("labels", "classes"), [([0.5] * 6, 2), (np.eye(6, 3), 1)])
def test_as_many_numbers_are_held_out_as_the_model_is_to_give(supplied, labels, classes):
    with pytest.raises(DataError, match="so many numbers for each sample"):
        supplied(task="regression", labels=labels, classes=classes)


def test_word_sequences_are_no_rows(assignment_folder, little_toml):
    folder = assignment_folder(little_toml.replace('"mnist"', '"imdb"'), "def test_x(): pass")
    with pytest.raises(AssignmentError, match=r"'vector' does not suit imdb.*\n.*multi_hot"):
        supply(read_assignment(folder))
