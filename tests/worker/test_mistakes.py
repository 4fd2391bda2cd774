"""Typical mistakes, made for real: what was recorded of them, and what the checks say."""

import numpy as np
import pytest

from grader.checks import Unmet
from grader.checks.evaluations import Evaluations
from grader.checks.plots import Figures
from grader.checks.training import Training

pytestmark = pytest.mark.keras

PREPARE = """
import keras
import numpy as np
import matplotlib.pyplot as plt

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_vec = x_train.reshape(-1, 784).astype("float32") / 255
x_test_vec = x_test.reshape(-1, 784).astype("float32") / 255
p = np.random.permutation(len(x_vec))
valid, rest = p[:100], p[100:]
"""
BUILD = """
model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, activation="softmax")])
model.compile(keras.optimizers.RMSprop(1e-3), "sparse_categorical_crossentropy", metrics=["acc"])
"""
FIT = """
history = model.fit(x_vec[rest], y_train[rest], validation_data=(x_vec[valid], y_train[valid]),
                    batch_size=50, epochs=3, verbose=0)
"""
TEST = "model.evaluate(x_test_vec, y_test, verbose=0)"
PLOT = """
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch"); plt.ylabel("loss"); plt.legend()
plt.show()
"""
RIGHT = [PREPARE, BUILD, FIT, TEST, PLOT]


def instead(old, new, *more):
    return [cell.replace(old, new) for cell in RIGHT] + list(more)


CASES = {
    "right": (RIGHT, set()),
    "trained on the validation samples as well": (
        instead("model.fit(x_vec[rest], y_train[rest]", "model.fit(x_vec, y_train"),
        {"expect_validation_apart_from_training", "expect_updates"},
    ),
    "validated on the test set": (
        instead("(x_vec[valid], y_train[valid])", "(x_test_vec, y_test)"),
        {"expect_test_not_used_for_validation"},
    ),
    "two permutations": (
        instead("y_train[rest]", "y_train[np.random.permutation(rest)]"),
        {"expect_labels_belong_to_rows"},
    ),
    "trained on the test set as well": (
        instead(
            "model.fit(x_vec[rest], y_train[rest]",
            "model.fit(np.concatenate([x_vec[rest], x_test_vec]), np.append(y_train[rest], y_test)",
        ),
        {"expect_no_test_data_in_training", "expect_updates"},
    ),
    "a cell run twice": (
        [PREPARE, BUILD, FIT, FIT, TEST, PLOT],
        {"expect_fresh_model", "expect_epochs", "expect_updates"},
    ),
    "tested unscaled": (
        instead("evaluate(x_test_vec", "evaluate(x_test.reshape(-1, 784)"),
        {"expect_scaled_like_training"},
    ),
    "tested on training samples": (
        instead("evaluate(x_test_vec, y_test", "evaluate(x_vec[valid], y_train[valid]"),
        {"expect_on_test"},
    ),
    "tested too early": (
        [PREPARE, BUILD, TEST, FIT, PLOT],
        {"expect_after_training", "expect_on_test"},
    ),
    "another rate": (instead("RMSprop(1e-3)", "RMSprop(1e-2)"), {"expect_optimizer"}),
    "no metric": (
        instead(', metrics=["acc"]', ""),
        {"expect_metric", "expect_history"},
    ),
    "no validation": (
        [
            cell.replace("validation_data=(x_vec[valid], y_train[valid]),", "").replace(
                'history.history["val_loss"]', "[3, 2, 1]"
            )
            for cell in RIGHT
        ],
        {"expect_validation", "expect_history", "expect_curves"},
    ),
    "a plot without words": (
        instead('plt.xlabel("epoch"); plt.ylabel("loss"); plt.legend()', ""),
        {"expect_labels"},
    ),
    "a plot of something else": (
        instead('history.history["val_loss"]', 'history.history["val_acc"]'),
        {"expect_curves"},
    ),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    rng = np.random.default_rng(1)
    y = rng.integers(0, 10, 600, dtype=np.uint8)
    x = (rng.integers(0, 100, (600, 28, 28)) + 15 * y[:, None, None]).astype(np.uint8)
    shown = rng.permutation(600)[:100]
    np.savez(folder / "mnist.npz", x_train=x, y_train=y, x_test=x[shown], y_test=y[shown])
    return folder


@pytest.fixture(scope="module", autouse=True)
def _as_in_the_sandbox():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        yield


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_named_and_nothing_else(kernel, served, make, case):
    cells, wrong = CASES[case]
    ran = kernel.run(*cells, data=served)
    assert set(ran.outcomes) == {"ok"}, ran.errors
    fits = Training(tuple(ran.fits), make.card())
    evaluations = Evaluations(tuple(ran.evaluations), fits)
    figures = Figures(tuple(figure for _, figure in ran.figures), [fits])
    expectations = [
        (fits.expect_epochs, (), {"exactly": 3}),
        (fits.expect_batch_size, (50,), {}),
        (fits.expect_updates, (30,), {}),
        (fits.expect_optimizer, ("rmsprop",), {"learning_rate": 1e-3}),
        (fits.expect_loss, ("scce",), {}),
        (fits.expect_metric, ("accuracy",), {}),
        (fits.expect_validation, (), {"samples": 100}),
        (fits.expect_validation_apart_from_training, (), {}),
        (fits.expect_no_test_data_in_training, (), {}),
        (fits.expect_test_not_used_for_validation, (), {}),
        (fits.expect_labels_belong_to_rows, (), {}),
        (fits.expect_fresh_model, (), {}),
        (fits.expect_history, ("loss", "accuracy", "val_loss"), {}),
        (evaluations.expect_after_training, (), {}),
        (evaluations.expect_on_test, (), {"samples": 100}),
        (evaluations.expect_scaled_like_training, (), {}),
        (figures.expect_curves, ("loss", "val_loss"), {}),
        (figures.expect_labels, (), {}),
        (figures.expect_points, (), {}),
    ]
    unmet = set()
    for expectation, arguments, keywords in expectations:
        try:
            expectation(*arguments, **keywords)
        except Unmet:
            unmet.add(expectation.__name__)
    assert unmet == wrong


def test_a_rate_that_changes_is_the_one_training_began_with(kernel, served):
    code = FIT.replace(
        "verbose=0",
        "verbose=0, callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: 0.5)]",
    )
    ran = kernel.run(PREPARE, BUILD, code, data=served)
    assert ran.fits[0].compiled.learning_rate == 0.001
