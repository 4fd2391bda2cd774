"""The whole grader on assignments without data: right work in other words, known mistakes, keys."""

# A row of a table stays in one line.
# ruff: noqa: E501

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import grader.cli
from grader.assignment import find_assignment, read_assignment
from grader.cluster.letters import read_answer, read_order, write_answer, write_order
from grader.find_out import Findings, Order
from grader.intake.collect import collect
from grader.office import Wishes, open_office
from grader.pipeline import grade
from grader.probes import Probe
from grader.records import ErrorFacts, GivenValue, ProbeAnswer, ProbeStep

SOLUTIONS = Path(__file__).parents[1] / "solutions"

RIGHT = {
    "tensors": {
        "eye": ("results[row, label] = 1.0", "results[row] = np.eye(dimension)[label]"),
        "lists": ("return images.reshape(len(images), -1)", "return [list(np.ravel(i)) for i in images]"),
        "keras": ("    powers = np.exp(z - np.max", "    return keras.ops.softmax(z)\n    powers = np.exp(z - np.max"),
        "tensor": ("return 1 / (1 + np.exp(-x))", "return keras.ops.sigmoid(keras.ops.cast(x, 'float64'))"),
        "fraction": ('"squared_error": 0.36', '"squared_error": "9/25"'),
        "shape_as_list": ("(100, 20, 3)", "[100, 20, 3]"),
        "shape_as_array": ("(100, 20, 3)", "np.array([100, 20, 3])"),
    },
    "optimizers": {
        "copy": ("    v = mu * v - learning_rate * dw\n    return w + v, v",
                 "    v = v * mu\n    v = v - learning_rate * dw\n    w = np.copy(w)\n    w = w + v\n    return [w, v]"),
        "tensor": ("return w - learning_rate * dw\n", "import tensorflow as tf\n    return tf.constant(w) - learning_rate * tf.constant(dw)\n"),
    },
    "losses": {
        "sparse": ('"categorical_crossentropy", "labels": "one-hot"', '"SCCE", "labels": "integers"'),
        "object": ('"loss": "mse", "labels": "number"},\n    "shares"',
                   '"loss": __import__("keras").losses.MeanSquaredError(), "labels": "number"},\n    "shares"'),
        "linear": ('"activation": None', '"activation": "linear"'),
        "column": ("return np.mean((outputs - labels) ** 2)", "return np.array([np.mean((outputs - labels) ** 2)])"),
    },
    "initialization": {
        "generator": ("return np.random.randn(fan_in, fan_out) / np.sqrt(fan_in)",
                      "return np.random.default_rng().normal(0, fan_in ** -0.5, (fan_in, fan_out))"),
        "keras": ("return np.random.randn(fan_in, fan_out) * np.sqrt(2 / fan_in)",
                  "import keras\n    return np.array(keras.initializers.HeNormal()((fan_in, fan_out)))"),
    },
}  # fmt: skip
"""A part of the solution, and another way of writing it that is as good."""

WRONG = {
    "tensors": {
        "max_plus_one": ("np.zeros((len(labels), dimension))\n    for row, label", "np.zeros((len(labels), max(labels) + 1))\n    for row, label",
                         "test_to_one_hot", "columns depend on which labels"),
        "column": ("results[row, label]", "results[:, label]", "test_to_one_hot", "Every row has all labels"),
        "no_classes": ("to_categorical(labels, 10)", "to_categorical(labels)", "test_to_one_hot_with_keras", "not told how many"),
        "counts": ("results[row, word] = 1.0", "results[row, word] += 1", "test_to_multi_hot", "counts how often"),
        "unstable": ("np.exp(z - np.max(z, axis=-1, keepdims=True))", "np.exp(z)", "test_softmax_of_large_scores", "larger than any float"),
        "axis": ("np.sum(powers, axis=-1, keepdims=True)", "np.sum(powers, axis=0)", "test_softmax", ""),
        "fortran": ("images.reshape(len(images), -1)", "images.reshape(-1, len(images)).T", "test_to_vectors", "pixels of both images"),
        "in_place": ("    for row, label in enumerate(labels):\n        results[row, label] = 1.0\n", "    for row, label in enumerate(labels):\n        results[row, label] = 1.0\n    labels[:] = 0\n", "test_to_one_hot", "Work on a copy"),
        "length": ("return np.ndim(tensor)", "return len(np.atleast_1d(tensor))", "test_rank", ""),
        "no_return": ("return (output - target) ** 2", "(output - target) ** 2", "test_squared_error", "without `return`"),
        "no_biases": ("(inputs + 1) * hidden + (hidden + 1) * outputs", "inputs * hidden + hidden * outputs", "test_parameters", "a bias as well"),
        "floor": ("-(-samples // batch_size) * epochs", "samples // batch_size * epochs", "test_updates", "smaller batch"),
        "renamed": ("def sigmoid(x)", "def sigmoide(x)", "test_sigmoid", "Is it `sigmoide`?"),
        "shadowed": ("def updates(", "parameters = 3\n\ndef updates(", "test_parameters", "used again"),
        "endless": ("return np.ndim(tensor)", "while True: pass", "test_rank", "still running"),
        "quiz": ('"squared_error": 0.36', '"squared_error": "0.6"', "test_numbers", "not squared"),
        "leaves": ("return np.ndim(tensor)", "import os; os._exit(0)", "test_rank", "ends Python"),
    },
    "optimizers": {
        "sign": ("return w - learning_rate * dw\n", "return w + learning_rate * dw\n", "test_sgd", "mind the sign"),
        "velocity": ("    v = mu * v - learning_rate * dw\n    return w + v, v", "    v = mu * v + dw\n    return w - learning_rate * v, v", "test_momentum", "takes the learning rate"),
        "after": ("    before = v\n    v = mu * v - learning_rate * dw\n", "    v = mu * v - learning_rate * dw\n    before = v\n", "test_nesterov", "plain momentum"),
        "one_result": ("return w + v, v", "return w + v", "test_momentum", ""),
        "in_place": ("    memory = memory + dw**2\n", "    memory += dw**2\n", "test_makes_new_arrays", "Work on a copy"),
        "shares": ("decay * memory + (1 - decay) * dw**2", "(1 - decay) * memory + decay * dw**2", "test_rmsprop", "swapped"),
    },
    "losses": {
        "mixed": ('"loss": "categorical_crossentropy", "labels": "one-hot"', '"loss": "sparse_categorical_crossentropy", "labels": "one-hot"', "test_last_layer[digits]", "does not fit"),
        "softmax": ('"units": 1, "activation": "sigmoid", "loss": "binary', '"units": 1, "activation": "softmax", "loss": "binary', "test_last_layer[reviews]", "always gives 1"),
        "topics": ('"units": 5, "activation": "sigmoid"', '"units": 5, "activation": "softmax"', "test_last_layer[topics]", "share a sum"),
        "row": ('"prices"', '"price"', "test_last_layer[prices]", "Keep the keys"),
        "sum": ("-np.mean(labels * np.log", "-np.sum(labels * np.log", "test_binary_crossentropy", "not the mean"),
    },
    "initialization": {
        "root": ("randn(fan_in, fan_out) / np.sqrt(fan_in)", "randn(fan_in, fan_out) / fan_in", "test_xavier", "the variance"),
        "units": ("randn(fan_in, fan_out) / np.sqrt(fan_in)", "randn(fan_in, fan_out) / np.sqrt(fan_out)", "test_xavier", "not the inputs"),
        "he": ("* np.sqrt(2 / fan_in)", "* 2 / np.sqrt(fan_in)", "test_he", "under the root"),
        "order": ("return found[::-1]", "return found", "test_gradients_vanish_too", "first layer"),
        "input": ("x = act(x @ make(500, 500))\n        found", "found.append(act(x @ make(500, 500)).std())\n        0 and found", "test_small_numbers_vanish", "layer before"),
    },
}  # fmt: skip
"""A part of the solution, what a student wrote instead, the check that fails, and its hint."""


@pytest.fixture
def run(tmp_path):
    """Grade scripts: ``run(assignment, {student: source})`` → reports by student, executions."""

    def go(assignment, sources):
        folder = tmp_path / "submissions"
        folder.mkdir(exist_ok=True)
        paths = []
        for student, source in sources.items():
            paths.append(folder / f"{student}.py")
            paths[-1].write_text(source, "utf-8")
        told = []
        wishes = Wishes(store=tmp_path / "store")
        with open_office(
            assignment, tmp_path / "results", wishes, on_progress=told.append
        ) as office:
            reports = grade(collect(paths), assignment, office.desk, office.hands, jobs=office.jobs)
        stages = [step.stage for step in told if not step.detail]
        return {report.submission["student"]: report for report in reports}, stages

    return go


@pytest.mark.keras
@pytest.mark.sandbox
@pytest.mark.parametrize("name", RIGHT)
def test_right_work_in_other_words_has_full_marks_and_a_known_mistake_its_reason(run, name):
    solution = (SOLUTIONS / f"{name}.py").read_text("utf-8")
    rows = {f"right-{way}": row for way, row in RIGHT[name].items()}
    rows |= {f"wrong-{way}": row for way, row in WRONG[name].items()}
    assert all(was in solution for was, *_ in rows.values())
    sources = {student: solution.replace(was, now) for student, (was, now, *_) in rows.items()}
    reports, _ = run(read_assignment(find_assignment(name)), sources)
    for student, (_, _, *wanted) in rows.items():
        report = reports[student]
        missed = {each.name: each for each in report.checks if each.outcome != "passed"}
        assert not report.needs_a_person
        if not wanted:
            assert missed == {}, student
            continue
        check, hint = wanted
        assert missed[check].outcome == "failed", student
        assert hint in missed[check].hint, (student, missed[check])
        assert len(missed) <= 4, (student, missed)


TOML = """
name = "little"
title = "A little assignment"
version = "1"

[limits]
wall_s = 60
memory_gib = 1.5

[probes.double]
call = "double"
arguments = [21]
"""
MORE = """
[probes.hungry]
call = "hungry"

[probes.after]
call = "double"
arguments = [4]
"""
CHECKS = """
import pytest

@pytest.mark.points(2)
def test_double(probes):
    '''It doubles.'''
    probes["double"].expect_equal({wanted})
"""
CODE = """
import numpy as np

def double(x):
    return 2 * x

def hungry():
    return [np.ones(2**26) for _ in range(99)][0].sum()
"""


@pytest.mark.keras
@pytest.mark.sandbox
def test_what_runs_when_a_probe_or_a_check_changes(run, assignment_folder):
    def now(toml, wanted):
        folder = assignment_folder(toml, CHECKS.format(wanted=wanted))
        reports, stages = run(read_assignment(folder), {"ada": CODE})
        return reports["ada"], stages.count("executing")

    first, ran = now(TOML, 43)
    assert (first.points, ran) == (0, 1)
    check = first.checks[0]
    assert (check.expected, check.received) == ("`double(21)` to give 43", "42")
    corrected, ran = now(TOML, 42)
    assert (corrected.points, ran) == (2, 0), "an expected value is no reason to run anything"
    more, ran = now(TOML + MORE, 42)
    assert (more.points, ran) == (2, 1)
    assert more.ending == "finished", "what only a probe exceeds is no ending of the run"
    again, ran = now(TOML + MORE, 42)
    assert (again.points, ran) == (2, 0)
    other, ran = now(TOML.replace("21", "20"), 40)
    assert (other.points, ran) == (2, 1)
    assert other.environment == first.environment
    assert other.seconds["run"] == first.seconds["run"], "the first run's evidence stays"


@pytest.mark.keras
@pytest.mark.sandbox
def test_a_student_checks_work_without_data(tmp_path):
    solution = tmp_path / "tensors.py"
    solution.write_text((SOLUTIONS / "tensors.py").read_text("utf-8"), "utf-8")
    runner = CliRunner()
    seen = runner.invoke(grader.cli.app, ["check", str(solution), "-a", "tensors", "--json"])
    assert seen.exit_code == 0, seen.output
    report = json.loads(seen.stdout)
    assert report["points"] == report["out_of"] > 0
    assert report["data"]["description"] == "no data set"
    assert (report["measurement"], report["models"]) == (None, [])
    assert report["not_run"]["checks"] > 0
    graded = runner.invoke(
        grader.cli.app, ["grade", "tensors", str(solution), "-o", str(tmp_path / "results")]
    )
    assert graded.exit_code == 0, graded.output
    assert "no data set" in graded.output
    _, row = (tmp_path / "results" / "grades.csv").read_text().splitlines()
    assert row.startswith("tensors,")


def test_questions_travel_to_a_cluster_and_answers_back(make, assignment_folder):
    assignment = read_assignment(assignment_folder(TOML + MORE, CHECKS.format(wanted=42)))
    order = Order(submission=make.submission(), assignment=assignment, probes=("double",))
    there = read_order(write_order(order))
    assert there.probes == ("double",)
    assert there.assignment.settings.probes["double"] == Probe(call="double", arguments=(21,))
    assert b"test_double" not in write_order(order)
    value = GivenValue(kind="list", type="list", shape=(2,), numbers=(1.5, float("inf")))
    error = ErrorFacts(kind="ValueError", message="no", line=1, traceback="")
    answers = {
        "double": ProbeAnswer(outcome="raised", steps=(ProbeStep(value=value),), error=error)
    }
    found = Findings(execution=replace(make.execution(), probes=answers), judgement=None)
    assert read_answer(write_answer(found)).execution.probes == answers
