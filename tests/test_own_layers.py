"""Layers of the assignment's own: the judge has them from the instructor alone."""

import io
import json
import zipfile

import nbformat
import numpy as np
import pytest

from grader.assignment import read_assignment
from grader.errors import AssignmentError
from grader.intake.collect import collect
from grader.judging.archive import RefusedError, custom_classes, inspect_archive
from grader.office import Wishes, open_office
from grader.own_layers import read_own_layers
from grader.pipeline import grade

LAYERS = '''
import keras
from keras import ops

class Scale(keras.layers.Layer):
    """Multiplies each input by a weight of its own."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, inputs):
        return inputs * self.scale

@keras.saving.register_keras_serializable(package="course")
def cubed(x):
    return ops.power(x, 3)
'''
TOML = """
name = "scaled"
title = "A layer of our own"
version = "1"
layers = "course_layers.py"

[data]
file = "points.npz"

[model]
task = "binary"
inputs = ["as_is"]
"""
CHECKS = '''
import pytest

@pytest.mark.points(1)
def test_layer(model):
    """There is a layer that scales."""
    assert "Scale" in [layer.kind for layer in model.layers], "Import it from course_layers."

@pytest.mark.points(1)
def test_held_out_accuracy(held_out):
    """It tells most points apart."""
    held_out.expect_accuracy(at_least=0.9)
'''
WORK = """
import keras
import numpy as np
{own}
with np.load("points.npz") as data:
    x, y = data["x_train"], data["y_train"]
model = keras.Sequential([
    keras.Input((3,)), {layer}, keras.layers.Dense(8, {activation}),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.Adam(0.05), loss="binary_crossentropy")
model.fit(x, y, epochs=15, verbose=0)
"""
RELU = 'activation="relu"'
OTHER = LAYERS.replace("Scale", "Stretch")
WORKS = {
    "imported": WORK.format(
        own="from course_layers import Scale", layer="Scale()", activation=RELU
    ),
    "written anew": WORK.format(own=LAYERS, layer="Scale()", activation=RELU),
    "a function": WORK.format(
        own="from course_layers import Scale, cubed", layer="Scale()", activation="activation=cubed"
    ),
    "of another name": WORK.format(own=OTHER, layer="Stretch()", activation=RELU),
}


def points(samples, seed):
    """Points in space, and whether their first two coordinates have one sign."""
    x = np.random.default_rng(seed).normal(size=(samples, 3)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


@pytest.fixture
def assignment(assignment_folder):
    folder = assignment_folder(toml=TOML, checks=CHECKS)
    (x, y), (x_test, y_test) = points(400, 1), points(200, 2)
    np.savez(folder / "points.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    (folder / "course_layers.py").write_text(LAYERS, "utf-8")
    return folder


def saved(**layer):
    """A ``.keras`` archive of which only the configuration is read."""
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"layers": [{"config": {}, "registered_name": None, **layer}]},
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", "")
    return stream.getvalue()


OWN = {
    "imported": {"module": "course_layers", "class_name": "Scale", "registered_name": "Scale"},
    "written anew": {"module": "__main__", "class_name": "Scale", "registered_name": "Scale"},
    "registered": {"module": None, "class_name": "Scale", "registered_name": "Custom>Scale"},
    "a function": {"module": "course_layers", "class_name": "function", "config": "cubed",
                   "registered_name": "course>cubed"},
}  # fmt: skip
STRANGE = {
    "another class": {"module": "__main__", "class_name": "Stretch", "registered_name": "Stretch"},
    "registered as another": {"module": "x", "class_name": "Scale", "registered_name": "os>system"},
    "a function of Keras'": {"module": "keras.utils", "class_name": "function", "config": "cubed"},
    "a class of Keras'": {"module": "keras.src.utils", "class_name": "Scale"},
    "code": {"module": "course_layers", "class_name": "Lambda"},
    "no name": {"module": "course_layers", "class_name": ["Scale"]},
}


@pytest.mark.parametrize("case", OWN)
def test_what_the_instructor_defines_may_be_opened_and_is_nobodys_own(case):
    known = read_own_layers("course_layers.py", LAYERS).names
    inspect_archive(saved(**OWN[case]), known)
    assert custom_classes(saved(**OWN[case]), known) == ()
    with pytest.raises(RefusedError):
        inspect_archive(saved(**OWN[case]))


@pytest.mark.parametrize("case", STRANGE)
def test_nothing_else_may_be_opened_for_it(case):
    with pytest.raises(RefusedError):
        inspect_archive(saved(**STRANGE[case]), {"Scale", "cubed"})


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (None, "course_layers.py: cannot be read: No such file"),
        ("def f(:", "is not Python: line 1"),
        ("import keras", "defines neither a class nor a function"),
        (b"\xff\xfe", "'utf-8' codec can't decode"),
    ],
)
def test_a_file_that_cannot_be_the_layers_is_named_before_anything_runs(assignment, source, says):
    file = assignment / "course_layers.py"
    file.unlink()
    if source is not None:
        file.write_bytes(source if isinstance(source, bytes) else source.encode())
    with pytest.raises(AssignmentError, match=says):
        read_assignment(assignment)


@pytest.mark.keras
@pytest.mark.sandbox
def test_work_with_the_assignments_own_layer_is_judged(assignment, tmp_path):
    folder = tmp_path / "submissions"
    folder.mkdir()
    for student, source in WORKS.items():
        (folder / student).mkdir()
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        nbformat.write(notebook, folder / student / "work.ipynb")
    # Whoever brings a file of that name works with the instructor's all the same.
    (folder / "imported" / "course_layers.py").write_text("Scale = None", "utf-8")
    wanted = read_assignment(assignment)
    with open_office(wanted, tmp_path / "results", Wishes(store=tmp_path / "store")) as office:
        reports = grade(collect([folder]), wanted, office.desk, office.hands, jobs=office.jobs)
    found = {report.submission["student"]: report for report in reports}
    assert set(found) == set(WORKS)
    for student in ("imported", "written anew", "a function"):
        report = found[student]
        assert [check.outcome for check in report.checks] == ["passed", "passed"], report
    strange = found["of another name"]
    assert strange.needs_a_person
    assert "classes of its own (Stretch)" in str(strange.notes)
