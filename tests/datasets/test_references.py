"""The course's networks, trained on what is served and measured on what is held out.

With the real sets and Keras 3.15, five and four epochs: 784-10 0.92, 784-512-10 0.976 to 0.981,
16-16-1 0.879 to 0.887. The stand-ins: 0.915 to 0.919, 0.983 to 0.987 and 0.887 to 0.889.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from grader.datasets import load

pytestmark = pytest.mark.keras

PROGRAM = Path(__file__).parent / "train_references.py"
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "TF_ENABLE_ONEDNN_OPTS": "0"}


def _train(dataset, tmp_path):
    """Train in a process of its own; give each network's accuracy, and facts."""
    out = tmp_path / "predictions.npy"
    paths = [str(path) for path in (dataset.served, dataset.held_out, out)]
    said = subprocess.check_output(
        [sys.executable, PROGRAM, dataset.name, *paths],
        env=os.environ | QUIET | {"KERAS_HOME": str(tmp_path / "home")},
        text=True,
        timeout=600,
    )
    accuracies = (np.load(out) == dataset.labels()).mean(axis=1)
    return accuracies.tolist(), json.loads(said.splitlines()[-1])


def _expect_digits(dataset, tmp_path):
    (softmax, dense), _ = _train(dataset, tmp_path)

    assert 0.90 <= softmax <= 0.935
    assert 0.97 <= dense <= 0.99


def _expect_reviews(dataset, tmp_path):
    (accuracy,), facts = _train(dataset, tmp_path)
    losses = facts["val_loss"]

    assert 0.86 <= accuracy <= 0.905
    assert 3 <= losses.index(min(losses)) + 1 <= 6
    assert losses[-1] > 1.05 * min(losses)
    assert facts["accuracy"][-1] > 0.95
    assert facts["tests"] == 25000
    assert facts["highest"] == 9999
    assert 88000 < facts["highest_of_all"] <= 88587
    assert facts["words"] == 88584
    assert facts["longest"] == dataset.train_facts["longest"]


def test_stand_in_digits_are_as_hard_as_mnist(stand_ins, tmp_path):
    _expect_digits(stand_ins["mnist"], tmp_path)


def test_stand_in_reviews_are_as_hard_as_imdb(stand_ins, tmp_path):
    _expect_reviews(stand_ins["imdb"], tmp_path)


@pytest.mark.real_data
def test_the_real_digits_are_served(real, tmp_path):
    dataset = load("mnist", data_dir=real)

    assert dataset.verified
    assert dataset.description.startswith("MNIST from ")
    _expect_digits(dataset, tmp_path)


@pytest.mark.real_data
def test_the_real_reviews_are_served(real, tmp_path):
    _expect_reviews(load("imdb", data_dir=real), tmp_path)
