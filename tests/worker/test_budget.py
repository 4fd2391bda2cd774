import re

import pytest

pytestmark = pytest.mark.keras

MODEL = """
import keras, numpy as np, time
rng = np.random.default_rng(3)
x, y = rng.random((320, 8), "float32"), rng.integers(0, 3, 320)
def build(**options):
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model
def fit(model, epochs, **options):
    return model.fit(x, y, epochs=epochs, verbose=0, **options)
model = build()
"""
SLOW = """
class Slow(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.02)
"""


def counts(ran):
    return [(len(fit.history.get("loss", ())), fit.updates, fit.stopped_by) for fit in ran.fits]


def test_without_a_budget_nothing_is_stopped(kernel):
    ran = kernel.run(MODEL, "fit(model, 4)")
    assert counts(ran) == [(4, 40, "")]
    assert ran.text("stderr") == ""


def test_epochs_count_over_all_trainings_of_a_model(kernel):
    ran = kernel.run(
        MODEL,
        "first = fit(model, 2)\nsecond = fit(model, 5)\nassert model.stop_training",
        "assert second.epoch == [0], second.epoch\nassert len(second.history['loss']) == 1",
        "assert second.params['epochs'] == 5\nprint(len(model.evaluate(x, y, verbose=0)))",
        budget={"epochs": 3, "seconds": None},
    )
    assert ran.outcomes == ["ok"] * 4
    assert counts(ran) == [(2, 20, ""), (1, 10, "epochs")]
    assert ran.fits[1].epochs == 5
    assert ran.fits[1].completed
    assert ran.text("stdout") == "2\n"
    assert ran.text("stderr") == (
        "Training ended early: this assignment allows 3 epochs of training for one model.\n"
    )


def test_each_model_has_its_own_epochs(kernel):
    ran = kernel.run(MODEL, "fit(model, 3)\nother = build()\nfit(other, 3)", budget={"epochs": 2})
    assert counts(ran) == [(2, 20, "epochs")] * 2


def test_what_ends_within_the_budget_was_not_stopped_by_it(kernel):
    ran = kernel.run(
        MODEL,
        "fit(model, 2)",
        "class Enough(keras.callbacks.Callback):\n"
        "    def on_epoch_end(self, epoch, logs=None):\n"
        "        self.model.stop_training = epoch == 1\n"
        "fit(build(), 9, callbacks=[Enough()])",
        budget={"epochs": 2},
    )
    assert counts(ran) == [(2, 20, ""), (2, 20, "")]
    assert ran.text("stderr") == ""


def test_a_training_with_nothing_left_changes_nothing(kernel):
    ran = kernel.run(
        MODEL,
        "fit(model, 1)\nbefore = model.get_weights()",
        "history = fit(model, 3, validation_split=0.2)",
        "assert history.epoch == [] and history.history == {}",
        "assert all((a == b).all() for a, b in zip(before, model.get_weights()))",
        "assert model.evaluate(x, y, verbose=0)[0] > 0\nassert model.predict(x, verbose=0).shape",
        "history.history['loss'][-1]",
        budget={"epochs": 1},
    )
    assert ran.outcomes == ["ok"] * 6 + ["raised"]
    assert ran.errors[-1].kind == "KeyError"
    assert counts(ran) == [(1, 10, ""), (0, 0, "epochs")]
    assert ran.text("stderr") == (
        "The model was not trained further: this assignment allows 1 epoch of training for "
        "one model.\n"
    )


def test_a_model_that_never_trained_can_still_be_asked(kernel):
    ran = kernel.run(
        MODEL,
        "model = keras.Sequential([keras.layers.Dense(3, activation='softmax')])\n"
        "model.compile('adam', 'sparse_categorical_crossentropy')",
        "stopping = keras.callbacks.EarlyStopping(restore_best_weights=True)\n"
        "fit(model, 3, callbacks=[stopping, keras.callbacks.ReduceLROnPlateau()])",
        "model.evaluate(x, y, verbose=0)",
        budget={"epochs": 0},
    )
    assert ran.outcomes == ["ok"] * 4
    assert counts(ran) == [(0, 0, "epochs")]


def test_seconds_end_a_training_within_its_epoch(kernel):
    ran = kernel.run(
        MODEL + SLOW,
        "start = time.perf_counter()\n"
        "history = model.fit(x, y, batch_size=1, epochs=50, callbacks=[Slow()], verbose=0,\n"
        "                    validation_data=(x, y))\n"
        "assert time.perf_counter() - start < 6",
        "assert set(history.history) == {'loss', 'accuracy', 'val_loss', 'val_accuracy'}",
        "fit(build(), 3)",
        budget={"seconds": 1.5},
    )
    assert ran.outcomes == ["ok"] * 4
    (epochs, updates, stopped), second = counts(ran)
    assert (epochs, stopped) == (1, "seconds")
    assert 0 < updates < 320
    assert second == (0, 0, "seconds")
    assert re.fullmatch(
        "Training ended early: this assignment allows 1.5 seconds of training in all.\n"
        "The model was not trained further: .*\n",
        ran.text("stderr"),
    )


def test_a_callback_cannot_take_the_stop_back(kernel):
    ran = kernel.run(
        MODEL,
        "class Go(keras.callbacks.Callback):\n"
        "    def on_epoch_begin(self, epoch, logs=None):\n"
        "        self.model.stop_training = False\n"
        "    def on_epoch_end(self, epoch, logs=None):\n"
        "        self.model.stop_training = False\n"
        "fit(model, 9, callbacks=[Go()])",
        budget={"epochs": 2},
    )
    assert counts(ran) == [(2, 20, "epochs")]


def test_a_training_within_a_training_counts_for_its_own_model(kernel):
    ran = kernel.run(
        MODEL,
        "class Nested(keras.callbacks.Callback):\n"
        "    def on_epoch_end(self, epoch, logs=None):\n"
        "        fit(other, 1)\n"
        "other = build()\nfit(model, 9, callbacks=[Nested()])",
        budget={"epochs": 3, "seconds": 60},
    )
    assert counts(ran) == [(1, 10, "")] * 3 + [(3, 30, "epochs")]


def test_a_failing_training_fails_as_ever(kernel):
    ran = kernel.run(
        MODEL, "model.fit(x, y[:3])", "fit(model, 2)", budget={"epochs": 1, "seconds": 60}
    )
    assert ran.outcomes == ["ok", "raised", "ok"]
    assert counts(ran)[1] == (1, 10, "epochs")
