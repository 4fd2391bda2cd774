"""A new assignment is made from a solution by the real engine, and holds at once."""

import numpy as np
import pytest
from typer.testing import CliRunner

from grader.assignment import read_assignment
from grader.cli import app

pytestmark = [pytest.mark.keras, pytest.mark.sandbox]

SOLUTION = """\
# %% [markdown]
# # Rising or falling
#
# Build a model called `net` and train it on `series`, which you make of `x_train`.

# %%
import numpy as np
from tensorflow import keras

data = np.load("trends.npz")
x_train, y_train = data["x_train"], data["y_train"]

# %%
### BEGIN SOLUTION
series = x_train[..., None]
net = keras.Sequential([
    keras.Input((12, 1)),
    keras.layers.Conv1D(6, 3, activation="relu"),
    keras.layers.Flatten(),
    keras.layers.Dense(2),
])
net.compile(
    optimizer=keras.optimizers.Adam(0.02),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
net.fit(series, y_train, epochs=5, verbose=0)
### END SOLUTION
"""


def trends(samples, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, samples)
    slope = (2 * labels - 1)[:, None] * rng.uniform(0.3, 1, (samples, 1))
    x = slope * np.linspace(-1, 1, 12) + rng.normal(scale=0.1, size=(samples, 12))
    return x.astype("float32"), labels


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (x, y), (x_test, y_test) = trends(400, 1), trends(100, 2)
    np.savez(tmp_path / "trends.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return tmp_path


def new(text, *more):
    with open("solution.py", "w", encoding="utf-8") as file:  # noqa: PTH123 - it is the folder here
        file.write(text)
    return CliRunner().invoke(app, ["new", "trends", "--from", "solution.py", *more])


def test_the_reference_gets_full_marks_the_handout_none_and_nothing_is_overwritten(place):
    done = new(SOLUTION)
    assert done.exit_code == 0, done.output
    assert "the untouched handout 0." in done.output
    assert "multiclass, inputs as as_is, judged: `net`" in done.output
    folder = place / "assignments" / "trends"
    assert {path.name for path in folder.iterdir()} == {
        *("assignment.toml", "handout.ipynb", "trends.npz", "test_trends.py"),
        "hidden_trends.py",
    }
    settings = read_assignment(folder).settings
    assert settings.model.variable == "net"
    assert settings.model.inputs == ("as_is",)
    assert settings.thresholds.accuracy.at_least > 0.8
    checks = (folder / "test_trends.py").read_text("utf-8")
    assert 'model.expect_layers(layer("Conv1D", 6, activation="relu", kernel_size=[3])' in checks
    assert 'variables.expect_shape("series", (400, 12, 1))' in checks
    assert '"x_train"' not in checks
    (folder / "test_trends.py").write_text("# mine\n" + checks, "utf-8")
    again = new(SOLUTION)
    assert again.exit_code == 2
    assert (folder / "test_trends.py").read_text("utf-8").startswith("# mine")


def test_a_reference_that_fails_is_told_with_its_error_and_nothing_is_written(place):
    done = new(SOLUTION.replace("keras.layers.Flatten", "keras.layers.Flaten"))
    assert done.exit_code == 2
    assert "no model came out of it" in done.stderr
    assert "Flaten" in done.stderr
    assert not (place / "assignments").exists()
