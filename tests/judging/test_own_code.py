"""Models that only code of the student's own can open: asked by that code, where they were trained.

All of it is graded by the real engine, once; what another setting makes of it runs nothing.
"""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from grader.assignment import read_assignment
from grader.intake.collect import collect
from grader.office import Wishes, open_office
from grader.pipeline import grade
from grader.report.as_json import as_data

pytestmark = [pytest.mark.keras, pytest.mark.sandbox]

TOML = """
name = "signs"
title = "The sign of a number"
version = "1"

[data]
file = "signs.npz"

[model]
task = "binary"
inputs = ["as_is"]
"""
CHECKS = '''
import pytest

@pytest.mark.points(1)
def test_network(model):
    """It ends in one number."""
    assert model.output_shape[-1] == 1

@pytest.mark.points(1)
def test_trained(fits):
    """It was trained."""
    fits.expect_trained()

@pytest.mark.points(1)
def test_held_out_accuracy(held_out):
    """It tells most numbers apart."""
    held_out.expect_accuracy(at_least=0.9)
'''
FIRST = """
# %%
import keras
import numpy as np
import tensorflow as tf

with np.load("signs.npz") as data:
    x, y = data["x_train"], data["y_train"]
"""
LAST = """
# %%
model.compile(optimizer=keras.optimizers.Adam(0.05), loss="binary_crossentropy")
model.fit(x, y, epochs=15, verbose=0)
"""
LAYER = """
# %%
class Scale(keras.layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, inputs):
        return inputs * self.scale

model = keras.Sequential([
    keras.Input((3,)), Scale(), keras.layers.Dense(8, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
"""
SUBCLASSED = """
# %%
class Net(keras.Model):
    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], 1))

    def call(self, inputs):
        return tf.sigmoid(tf.matmul(inputs, self.w))

model = Net()
"""
LAMBDA = """
# %%
model = keras.Sequential([
    keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2.0),
    keras.layers.Dense(1, activation="sigmoid"),
])
"""
PLAIN = """
# %%
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
"""
STRANGE_SHAPE = """
# %%
x = x[:, :2]
class Same(keras.layers.Layer):
    def call(self, inputs):
        return inputs

model = keras.Sequential([keras.Input((2,)), Same(), keras.layers.Dense(1, activation="sigmoid")])
"""
COUNTS = """
# %%
class Counts(keras.layers.Layer):
    def call(self, inputs):
        def place(rows):
            first, Counts.seen = Counts.seen, Counts.seen + len(rows)
            return (np.arange(first, first + len(rows)) >= 100).astype("float32")[:, None]
        Counts.seen = 0
        answer = tf.py_function(place, [inputs], tf.float32)
        return tf.ensure_shape(answer, (None, 1)) + 0 * inputs[:, :1]

# %%
inputs = keras.Input((3,))
model = keras.Model(inputs, Counts()(inputs))
model.compile(loss="binary_crossentropy")
"""
PEEKS = """
# %%
import glob, json, os, threading

def look():
    os.set_blocking(4, False)
    try:
        found = os.read(4, 100)
    except OSError:
        found = b""
    os.set_blocking(4, True)
    files = [name for folder in ("..", "/places", "/tmp") for name in
             glob.glob(folder + "/**/*.np[yz]", recursive=True)]
    here = [name for name in files if np.any(np.isclose(open_it(name), MARKER))]
    return found, here

def open_it(name):
    try:
        with np.load(name) as data:
            return np.concatenate([data[key].ravel() for key in data if key.startswith("x")])
    except Exception:
        return np.zeros(1)

MARKER = 7.625
print("looked:", look())
standard_output = os.dup(1)

class Tells(keras.layers.Layer):
    def call(self, inputs):
        def tell(rows):
            rows = np.asarray(rows)
            if np.any(rows == MARKER):
                text = "STO" + "LEN " + repr(rows[rows == MARKER].tolist())
                os.write(standard_output, text.encode() * 2)
                for line in (
                    {"event": "output", "output":
                     {"output_type": "stream", "name": "stdout", "text": text}},
                    {"event": "values", "values": {"stolen": text}},
                ):
                    os.write(3, json.dumps(line).encode() + b"\\n")
                with open("model-0.keras", "w") as file:
                    file.write(text)
            return np.where(rows == MARKER, 1e6, rows)
        return tf.ensure_shape(tf.py_function(tell, [inputs], tf.float32), (None, 3))

# %%
model = keras.Sequential([keras.Input((3,)), Tells(), keras.layers.Dense(1)])
model.compile(loss="mse")
print("looked:", look())
"""
WORKS = {
    "layer": FIRST + LAYER + LAST,
    "subclassed": FIRST + SUBCLASSED + LAST,
    "lambda": FIRST + LAMBDA + LAST,
    "plain": FIRST + PLAIN + LAST,
    "strange-shape": FIRST + STRANGE_SHAPE + LAST,
    "counts": FIRST + COUNTS,
    "peeks": FIRST + PEEKS,
    "peeks-and-answers": FIRST + PEEKS.replace("os.write(3, ", "len("),
}
OWN = ("layer", "subclassed", "lambda")
MARKER = 7.625
"""A number that stands in one held-out sample and nowhere else."""


def signs(samples, seed):
    """Points in space, and whether their first coordinate is positive."""
    x = np.random.default_rng(seed).normal(size=(samples, 3)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


@dataclass(slots=True)
class Recording:
    """A sandbox that keeps all that another one is given, and all that comes out of it."""

    inner: object
    handed_in: list[bytes] = field(default_factory=list)
    runs: list[tuple[str, object, object]] = field(default_factory=list)

    @property
    def isolation(self):
        return self.inner.isolation

    def run(self, job, limits, on_message):
        def hear(chunk):
            reply = on_message(chunk)
            if reply is None:
                return None

            def keep(artefacts):
                self.handed_in.append(reply(artefacts))
                return self.handed_in[-1]

            return keep

        outcome = self.inner.run(job, limits, hear)
        self.runs.append((job.program, job, outcome))
        return outcome


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signs")
    (x, y), (x_test, y_test) = signs(400, 1), signs(200, 2)
    order = np.argsort(y_test, kind="stable")  # who counts the first hundred is always right
    x_test, y_test = x_test[order], y_test[order]
    y_test[:100], y_test[100:] = 0, 1
    x_test[:, 0] = np.where(y_test, 1, -1) * np.abs(x_test[:, 0])
    x_test[17, 1] = MARKER
    np.savez(folder / "signs.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    (folder / "assignment.toml").write_text(TOML, "utf-8")
    (folder / "test_signs.py").write_text(CHECKS, "utf-8")
    (folder / "class").mkdir()
    for student, work in WORKS.items():
        (folder / "class" / f"{student}.py").write_text(work, "utf-8")
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    reports: dict
    recording: Recording
    results: object


@pytest.fixture(scope="module")
def graded(folder):
    """Grade the class under a setting: ``graded("report")``; each is done once."""
    done = {}

    def go(own_code, students=tuple(WORKS), **settings):
        key = (own_code, students, tuple(settings))
        if key not in done:
            done[key] = _grade(folder, own_code, students, settings)
        return done[key]

    return go


def _grade(folder, own_code, students, settings):
    assignment = read_assignment(folder)
    model = replace(assignment.settings.model, own_code=own_code)
    wanted = replace(assignment.settings, model=model, **settings)
    assignment = replace(assignment, settings=wanted)
    results = folder / f"results-{own_code}-{len(settings)}"
    with open_office(assignment, results, Wishes(store=folder / "store")) as office:
        recording = Recording(office.desk.bench.sandbox)
        bench = replace(office.desk.bench, sandbox=recording)
        reports = grade(
            collect([folder / "class" / f"{student}.py" for student in students]),
            assignment,
            replace(office.desk, bench=bench),
            replace(office.hands, bench=bench),
        )
    return Graded(
        reports={report.submission["student"]: report for report in reports},
        recording=recording,
        results=results,
    )


def outcomes(report):
    return {check.name.removeprefix("test_"): check.outcome for check in report.checks}


@pytest.fixture(scope="module")
def first(graded):
    """What came of the class the first time it was graded."""
    return graded("report")


@pytest.mark.parametrize("student", OWN)
def test_a_report_has_what_its_own_code_answered_and_a_person_decides(first, student):
    report = first.reports[student]

    assert report.ending == "finished"
    assert report.needs_a_person
    assert outcomes(report)["held_out_accuracy"] == "broken"
    assert outcomes(report)["network"] == "broken"
    assert report.measurement.where == "student sandbox"
    assert report.measurement.value > 0.9
    assert "the weaker kind of evidence" in " ".join(report.notes)
    assert "a person decides" in " ".join(report.notes)
    (flag,) = [flag for flag in report.flags if flag.kind == "own_code"]
    assert flag.evidence["measured"] == report.measurement.value


@pytest.mark.parametrize("student", OWN)
def test_an_assignment_may_let_it_count_and_nothing_runs_for_it(first, graded, student):
    counted = graded("points")
    report = counted.reports[student]

    assert counted.recording.runs == []
    assert report.measurement == first.reports[student].measurement
    assert outcomes(report)["held_out_accuracy"] == "passed"
    assert outcomes(report)["trained"] == "passed"
    assert "the weaker kind of evidence" in " ".join(report.notes)
    assert [flag.kind for flag in report.flags if flag.kind == "own_code"]
    if student == "subclassed":  # nothing tells the layers of a model that is code alone
        assert outcomes(report)["network"] == "broken"
        assert report.needs_a_person
    else:
        assert outcomes(report)["network"] == "passed"
        assert not report.needs_a_person
        (model,) = report.models
        assert model["where"] == "student sandbox"


@pytest.mark.parametrize("student", OWN)
@pytest.mark.usefixtures("first")
def test_a_person_is_called_where_nothing_is_said_of_it(graded, student):
    called = graded("person")
    report = called.reports[student]

    assert called.recording.runs == []
    assert report.needs_a_person
    assert report.measurement is None
    assert outcomes(report)["held_out_accuracy"] == "broken"
    assert outcomes(report)["trained"] == "passed"


@pytest.mark.usefixtures("first")
def test_by_default_no_run_is_handed_anything(folder):
    plain = _grade(folder, "person", ("layer", "lambda"), {"seed": 8})

    assert plain.recording.handed_in == []
    assert all(job.task.get("asks", False) is False for _, job, _ in plain.recording.runs)


def test_what_the_judge_can_open_is_asked_by_the_judge_alone(first):
    report = first.reports["plain"]

    assert report.measurement.where == "judge"
    assert not report.needs_a_person
    assert report.flags == ()
    assert first.recording.handed_in.count(b"") == 1
    assert [job.program for program, job, _ in first.recording.runs].count("judge") == 1


def test_a_model_that_answers_nothing_calls_a_person(first):
    report = first.reports["strange-shape"]

    assert report.needs_a_person
    assert report.measurement is None
    assert "did not answer the held-out inputs" in " ".join(report.notes)


def test_who_counts_the_samples_gains_nothing(first):
    assert first.reports["counts"].measurement.value < 0.65


def test_no_label_is_among_what_is_handed_in(first, folder):
    with np.load(folder / "signs.npz") as data:
        labels, inputs = data["y_test"], data["x_test"]
    handed = [each for each in first.recording.handed_in if each]

    assert len(handed) == len(WORKS) - 1
    for each in handed:
        head, _, rest = each.partition(b"\n")
        assert set(json.loads(head)) == {"model", "forms", "files"}
        assert {name for name, _ in json.loads(head)["files"]} == {
            "inputs.npy", "train_mean.npy", "train_std.npy",
        }  # fmt: skip
        assert sum(size for _, size in json.loads(head)["files"]) == len(rest)
        assert inputs[17].tobytes() in rest
        assert inputs.tobytes() not in rest, "the samples are mixed"
        for dtype in ("uint8", "int32", "int64", "float32", "float64"):
            assert labels.astype(dtype).tobytes() not in each


def test_who_looks_for_the_inputs_while_cells_run_finds_none(first):
    said = (first.results / "submissions" / "peeks" / "executed.ipynb").read_text("utf-8")

    assert said.count("looked: (b'', [])") == 2


@pytest.mark.parametrize("student", ["peeks", "peeks-and-answers"])
def test_who_sees_the_inputs_leaves_no_trace_of_them(first, student):
    report = first.reports[student]
    theirs = json.dumps(as_data(report, for_student=True))
    folder = first.results / "submissions" / student
    cells = list(collect([folder.parents[2] / "class" / f"{student}.py"])[0].cells)
    (outcome,) = [
        outcome for _, job, outcome in first.recording.runs if job.task.get("cells") == cells
    ]

    assert report.ending == "finished"
    assert "STOLEN" not in theirs + outcome.stdout + outcome.stderr
    for file in folder.iterdir():
        if file.name != "predictions.f32":
            assert b"STOLEN" not in file.read_bytes(), file
    assert all(b"STOLEN" not in (each.data or b"") for each in outcome.artefacts.values())
    assert not {"examining", "measuring"} & set(as_data(report, for_student=True)["seconds"])
    if student == "peeks":  # what it says among its answers spoils them
        assert "did not answer the held-out inputs" in " ".join(report.notes)
    else:
        answers = np.abs(np.fromfile(folder / "predictions.f32", "<f4"))
        assert list(np.flatnonzero(answers > 1000)) == [17], "it did see them"


@pytest.mark.usefixtures("first")
def test_other_held_out_inputs_have_the_code_run_again_for_its_answers_alone(folder):
    with np.load(folder / "signs.npz") as data:
        arrays = dict(data)
    try:
        x, y = signs(200, 3)
        np.savez(folder / "signs.npz", **{**arrays, "x_test": x, "y_test": y})
        again = _grade(folder, "points", ("layer", "plain"), {})
    finally:
        np.savez(folder / "signs.npz", **arrays)
    programs = [program for program, _, _ in again.recording.runs]

    assert sorted(programs) == ["judge", "kernel"]
    assert again.reports["layer"].measurement.samples == 200
    assert again.reports["layer"].measurement.where == "student sandbox"
    assert outcomes(again.reports["layer"])["held_out_accuracy"] == "passed"
