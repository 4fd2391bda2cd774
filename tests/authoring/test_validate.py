"""The whole trial on a tiny assignment of real parts, with one hole planted in its checks."""

import json
import tomllib
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

import grader.cli
from grader.assignment import read_assignment
from grader.authoring.calibrate import calibrate
from grader.authoring.release import handout
from grader.authoring.trial import Trial
from grader.authoring.validate import plan_of
from grader.errors import AssignmentError

SOLUTION = """\
# %% [markdown]
# Keep what `fit` returns as `history`.

# %%
from tensorflow import keras
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()

# %%
### BEGIN SOLUTION
x = x_train[:2000].reshape(2000, 784) / 255
model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x, y_train[:2000], epochs=4, verbose=2)
### END SOLUTION
"""
CHECKS = '''
import pytest
from grader.checks import dense


@pytest.mark.points(2)
def test_layers(model):
    """One dense layer with ten softmax units."""
    model.expect_layers(dense(10, "softmax"))


@pytest.mark.points(1)
def test_loss(fits):
    """Output, loss and labels belong together."""
    fits.expect_output_loss_and_labels_match("multiclass")


@pytest.mark.points(1)
def test_accuracy(held_out):
    """It is right more often than not."""
    held_out.expect_accuracy()
'''
HIDDEN = '''
import pytest


@pytest.mark.points(1)
def test_scaled(fits):
    """Pixels were scaled, nobody said how."""
    fits.expect_scaled_inputs()
'''
REGRESSION = """
name = "little"
title = "A little regression"
version = "1"

[data]
file = "square.npz"

[model]
task = "regression"
classes = 1
inputs = ["as_is"]

[thresholds.error]
at_most = 0.000001

[models.smaller]
variable = "smaller"
task = "regression"
inputs = ["as_is"]

[models.of_pairs]
variable = "of_pairs"
task = "regression"
inputs = ["as_is"]
"""
SQUARE = """\
# %%
import keras
import numpy as np
with np.load("square.npz") as given:
    x, y = given["x_train"], given["y_train"]
model = keras.Sequential([keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)])
model.compile("adam", "mse")
history = model.fit(x, y, epochs=5, verbose=2)
smaller = keras.Sequential([keras.layers.Dense(1)])
smaller.compile("adam", "mse")
smaller.fit(x, y, epochs=1, verbose=2)
of_pairs = keras.Sequential([keras.layers.Dense(1)])
of_pairs.compile("adam", "mse")
of_pairs.fit(np.repeat(x, 2, axis=1), y, epochs=1, verbose=2)
"""
FLOOR = "\n[thresholds.accuracy]\nat_least = 0.5  # first guess\n"
KINDS = (
    "units off",
    "no bias",
    "wrong loss",
    "unscaled input",
    "constant prediction",
    "labels off by one",
)


@pytest.fixture
def folder(tmp_path, little_toml, monkeypatch):
    monkeypatch.setenv("GRADER_STORE", str(tmp_path / "store"))
    folder, solutions = tmp_path / "assignments" / "little", tmp_path / "solutions"
    for each in (folder, solutions):
        each.mkdir(parents=True)
    (folder / "assignment.toml").write_text(little_toml + FLOOR, "utf-8")
    (folder / "test_little.py").write_text(CHECKS, "utf-8")
    (folder / "hidden_little.py").write_text(HIDDEN, "utf-8")
    (solutions / "little.py").write_text(SOLUTION, "utf-8")
    made = handout(solutions / "little.py", "little")
    (folder / "handout.ipynb").write_text(made, "utf-8")
    return folder


def call(*args):
    return CliRunner().invoke(grader.cli.app, [str(arg) for arg in args])


def trial(folder, *kinds):
    chosen = [word for kind in kinds for word in ("--only", kind)]
    result = call("validate", folder, "--json", *chosen)
    return result, json.loads(result.stdout) if result.stdout else {}


@pytest.mark.sandbox
@pytest.mark.keras
def test_a_hole_in_the_checks_is_found_and_nothing_else(folder):
    result, found = trial(folder, *KINDS, "wrong variable name")
    assert result.exit_code == 1, result.output
    assert found["points"] == {"reference": 5.0, "handout": 0.0, "out_of": 5.0}
    (complaint,) = found["complaints"]
    assert complaint["about"] == "mutants"
    assert complaint["what"].startswith("no bias gets full marks")

    fates = {each["name"]: each for each in found["mutants"]}
    assert fates["no_bias-1"]["fate"] == "survived"
    assert (
        '+model = keras.Sequential([keras.layers.Dense(10, activation="softmax", use_bias'
        in (fates["no_bias-1"]["diff"])
    )
    # A history under another name is the same history: no check could object.
    assert fates["wrong_variable_name-1"]["fate"] == "equivalent"
    del fates["no_bias-1"], fates["wrong_variable_name-1"]
    assert {each["fate"] for each in fates.values()} == {"caught"}
    assert fates["units_off-1"]["caught_by"] == ["test_layers"]
    assert fates["units_off-1"]["trained"] == "briefly"
    assert fates["unscaled_input-1"]["caught_by"] == ["test_scaled"]
    assert fates["constant_prediction-1"]["caught_by"] == ["test_accuracy"]
    assert fates["constant_prediction-1"]["trained"] == "in full"
    # A low accuracy is what the mistake is in one of them, and what follows from it in the other.
    assert fates["labels_off_by_one-1"]["caught_by"] == ["test_accuracy"]
    indirectly = [name for name, each in fates.items() if each["indirectly"]]
    assert indirectly == ["labels_off_by_one-1"]
    assert any("labels off by one: test_accuracy" in note for note in found["notes"])
    assert {each["name"]: each["failed_by"] > 0 for each in found["checks"]} == {
        "test_layers": True,
        "test_loss": True,
        "test_accuracy": True,
        "test_scaled": True,
    }

    # What is known does not run again, and a mistake that is allowed is no complaint.
    settings = folder / "assignment.toml"
    allowed = '\n[validate.harmless]\n"no bias" = "a bias is a matter of taste here"\n'
    settings.write_text(settings.read_text("utf-8") + allowed, "utf-8")
    again, found = trial(folder, *KINDS)
    assert again.exit_code == 0, again.output
    assert found["is_sound"]
    assert {each["name"]: each["fate"] for each in found["mutants"]}["no_bias-1"] == "harmless"
    # The reference and the handout; the reference on a part of the data; mutants there; the rest.
    assert again.stderr.count("no code was run for") == 4
    shown = call("validate", folder, "--only", "no bias")
    assert "little is sound" in shown.stdout
    assert "a bias is a matter of taste" in " ".join(shown.stdout.split())


@pytest.mark.sandbox
@pytest.mark.keras
def test_data_of_which_no_part_can_be_served_is_served_whole(folder):
    settings, solution = folder / "assignment.toml", folder.parents[1] / "solutions" / "little.py"
    settings.write_text(
        settings.read_text("utf-8").replace("mnist", "cifar10").replace("0.5", "0.15"), "utf-8"
    )
    solution.write_text(SOLUTION.replace("mnist", "cifar10").replace("784", "3072"), "utf-8")
    (folder / "handout.ipynb").write_text(handout(solution, "little"), "utf-8")
    result, found = trial(folder, "units off")
    assert result.exit_code == 0, result.output
    (mutant, *_) = found["mutants"]
    assert (mutant["fate"], mutant["trained"]) == ("caught", "briefly")
    assert mutant["caught_by"] == ["test_layers"]


class Rounds(Trial):
    """A trial in which it is known beforehand who has full marks, and who is the reference."""

    def __init__(self, harmless, survivors, same=()):
        settings = SimpleNamespace(validate=SimpleNamespace(harmless=dict.fromkeys(harmless, "?")))
        plan = SimpleNamespace(assignment=SimpleNamespace(settings=settings))
        super().__init__(plan=plan, office=None, wishes=None, ear=None, watching=None)
        self.survivors, self.equal, self.rounds = survivors, set(same), []

    def _grade(self, work, _assignment, _office=None):
        self.rounds.append([each.student for each in work])
        return dict.fromkeys(self.rounds[-1])

    def _same(self, work):
        return self.equal & {each.student for each in work}

    def _fate_of(self, name):
        return "survived" if name in self.survivors else "caught"


@pytest.mark.parametrize(
    ("harmless", "survivors", "same", "rounds", "spared"),
    [
        ((), "ab1", "", [["a1", "a2", "a3", "b1", "c1"]], set()),
        (("a",), ("a1",), "", [["b1", "c1", "a1"]], {"a2", "a3"}),
        (("a",), ("a2",), "", [["b1", "c1", "a1"], ["a2"]], {"a3"}),
        (("a",), (), "", [["b1", "c1", "a1"], ["a2"], ["a3"]], set()),
        (("a",), ("a1", "a2"), ("a1",), [["b1", "c1", "a1"], ["a2"]], {"a3"}),
        (("a", "c"), ("a1", "c1"), "", [["b1", "a1", "c1"]], {"a2", "a3"}),
        (("other",), ("a1",), "", [["a1", "a2", "a3", "b1", "c1"]], set()),
    ],
)
def test_of_a_harmless_kind_only_so_many_are_trained_as_show_that_it_is(
    harmless, survivors, same, rounds, spared
):
    trial = Rounds(harmless, survivors, same)
    names = ("a1", "a2", "a3", "b1", "c1")

    trial._train_in_full([(name[0], SimpleNamespace(student=name)) for name in names])

    assert trial.rounds == rounds
    assert trial.spared == spared


@pytest.mark.sandbox
@pytest.mark.keras
def test_a_wrong_reference_and_a_generous_handout_are_named(folder):
    generous = HIDDEN + '\n\n@pytest.mark.points(1)\ndef test_gift():\n    """All get it."""\n'
    (folder / "hidden_little.py").write_text(generous, "utf-8")
    checks = folder / "test_little.py"
    checks.write_text(checks.read_text("utf-8").replace("dense(10,", "dense(11,"), "utf-8")
    result, found = trial(folder, "constant prediction")
    assert result.exit_code == 1, result.output
    whats = [each["what"] for each in found["complaints"]]
    assert any("little.py: does not pass test_layers (2 points)" in what for what in whats)
    assert any("gets 1 points untouched: test_gift" in what for what in whats)
    assert found["points"]["reference"] == 4.0


@pytest.mark.sandbox
@pytest.mark.keras
def test_seeds_spread_the_accuracy_and_the_floor_below_them_is_written(folder):
    result = call("calibrate", folder, "--runs", "3", "--write", "--json")
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["models"]
    values = list(found["runs"].values())
    assert list(found["runs"]) == ["7", "8", "9"]
    assert len(set(values)) > 1
    assert found["mean"] == pytest.approx(sum(values) / 3)
    assert found["samples"] == 10_000
    assert found["proposed"]["bound"] < min(values)
    text = (folder / "assignment.toml").read_text("utf-8")
    assert tomllib.loads(text)["thresholds"]["accuracy"] == {
        "at_least": found["proposed"]["bound"],
        "margin": found["margin"],
    }
    assert "# first guess" in text
    shown = call("calibrate", folder, "--runs", "3")
    assert "With 10 runs or more the bounds are closer." in shown.stdout

    solution = folder.parents[1] / "solutions" / "little.py"
    seeded = SOLUTION.replace("x = x_train", "keras.utils.set_random_seed(1)\nx = x_train")
    solution.write_text(seeded, "utf-8")
    with pytest.raises(AssignmentError, match="each of 3 seeds gave the same accuracy"):
        calibrate(read_assignment(folder), solution, 3)
    solution.write_text("# %%\nmodel = 1\n", "utf-8")
    with pytest.raises(AssignmentError, match="seed 7 was not measured"):
        calibrate(read_assignment(folder), solution, 3)


@pytest.mark.sandbox
@pytest.mark.keras
def test_of_a_regression_the_errors_spread_and_the_ceiling_above_them_is_proposed(folder):
    x = np.linspace(-1, 1, 60, dtype="f4")[:, None]
    given = {
        "x_train": x[::2],
        "y_train": x[::2, 0] ** 2,
        "x_test": x[1::2],
        "y_test": x[1::2, 0] ** 2,
    }
    np.savez(folder / "square.npz", **given)
    settings = folder / "assignment.toml"
    settings.write_text(REGRESSION, "utf-8")
    solution = folder.parents[1] / "solutions" / "little.py"
    solution.write_text(SQUARE, "utf-8")
    result = call("calibrate", folder, "--runs", "3", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    found, smaller = told["models"]
    errors = list(found["runs"].values())
    assert (found["metric"], found["samples"]) == ("mean_squared_error", 30)
    assert found["mean"] == pytest.approx(float(np.exp(np.mean(np.log(errors)))))
    assert max(errors) < found["proposed"]["bound"]
    assert found["present"]["seen"] == 3
    assert (smaller["model"], smaller["present"], smaller["samples"]) == ("smaller", None, 30)
    assert max(smaller["runs"].values()) < smaller["proposed"]["bound"]
    left_out = "`of_pairs` was left out."
    (why,) = (note for note in told["notes"] if note.startswith(left_out))
    assert "seed 7 was not measured: The model takes inputs of shape (None, 2)" in why
    shown = call("calibrate", folder, "--runs", "3", "--write")
    assert f"at_most = {found['proposed']['bound']:g}, margin = {found['margin']:g}" in " ".join(
        shown.stdout.split()
    )
    assert tomllib.loads(settings.read_text("utf-8"))["thresholds"]["error"] == {
        "at_most": found["proposed"]["bound"],
        "margin": found["margin"],
    }
    assert "mean squared error of the reference's `smaller`" in shown.stdout
    assert "In a check stand the bounds of smaller:" in shown.stdout
    own = "\n[thresholds.models.smaller.error]\nat_most = 0.5\n"
    settings.write_text(settings.read_text("utf-8") + own, "utf-8")
    told = json.loads(call("calibrate", folder, "--runs", "3", "--write", "--json").stdout)
    assert told["models"][1]["runs"] == smaller["runs"]
    assert tomllib.loads(settings.read_text("utf-8"))["thresholds"]["models"]["smaller"] == {
        "error": {"at_most": smaller["proposed"]["bound"], "margin": smaller["margin"]}
    }


def test_of_each_kind_some_are_tried_from_the_first_to_the_last(folder):
    solution = folder / "long.py"
    sizes = range(10, 31)  # the last of them is no hidden layer
    layers = ", ".join(f'layers.Dense({size}, activation="relu")' for size in sizes)
    head = "# %%\nimport keras\nfrom keras import layers\n"
    solution.write_text(f"{head}model = keras.Sequential([{layers}])\n", "utf-8")
    assignment = read_assignment(folder)
    kind = "wrong hidden activation"
    every = plan_of(assignment, solution, [kind])
    some = plan_of(assignment, solution, [kind], each=4)
    assert (len(every.mutants), every.left_out) == (20, 0)
    places = [every.mutants.index(mutant) for mutant in some.mutants]
    assert places == [0, 5, 10, 15]
    assert some.left_out == 16


def test_mutants_are_listed_without_a_run(folder):
    result = call("validate", folder, "--list", "--only", "units off")
    assert result.exit_code == 0, result.output
    assert "units_off-1  units off: Dense: 10 → 11 units; cell 2, line 3" in result.stdout
    assert '+model = keras.Sequential([keras.layers.Dense(11, activation="softmax")])' in (
        result.stdout
    )
    assert "4 mutants of 1 kind." in result.stdout


def test_what_cannot_be_read_ends_with_code_2(folder):
    for args, says in (
        (["--only", "nonsense"], "there is no such kind of mutant"),
        (["--solution", "nowhere.py"], "nowhere.py: there is no such file"),
    ):
        result = call("validate", folder, *args)
        assert result.exit_code == 2
        assert says in result.stderr
    (folder / "test_little.py").write_text("def test_x(): pass", "utf-8")
    result = call("validate", folder, "--list")
    assert result.exit_code == 2
    assert "has no points" in result.stderr
