"""What is recorded of a student's calls of Keras."""

import pytest

from grader.messages import ModelsFound

pytestmark = pytest.mark.keras

COMMON = """
import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(5)
x = rng.random((120, 12), "float32")
y = rng.integers(0, 4, 120)
x_test, y_test = rng.random((40, 12), "float32") * 255, rng.integers(0, 4, 40)

def compiled(metrics=("accuracy",)):
    model = keras.Sequential([keras.Input((12,)), layers.Dense(4, activation="softmax")])
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=list(metrics))
    return model

model = compiled()
"""


def recorded(kernel, code, **task):
    ran = kernel.run(COMMON, code, **task)
    assert ran.outcomes == ["ok", "ok"], ran.errors
    return ran


# ------------------------------------------------------------------ evaluations

SPELLINGS = {
    "by position": "told = model.evaluate(x_test, y_test)",
    "by keyword": "told = model.evaluate(y=y_test, x=x_test, verbose=0, batch_size=7)",
    "as a dictionary": "told = model.evaluate(x_test, y_test, return_dict=True)",
    "of tensors": "import tensorflow as tf\n"
    "told = model.evaluate(tf.constant(x_test), tf.constant(y_test))",
}


@pytest.mark.parametrize("case", SPELLINGS)
@pytest.mark.parametrize("steps", [1, 32])
def test_an_evaluation_is_recorded_with_its_results_by_name(kernel, case, steps):
    code = f"{SPELLINGS[case]}\nprint('told', list(getattr(told, 'values', lambda: told)()))"
    ran = recorded(kernel, code, speed={"joined_steps": steps})
    (found,) = ran.evaluations
    assert (found.model, found.cell, found.after_fits, found.completed) == (0, 2, 0, True)
    assert found.samples == 40
    assert found.x.shape == (40, 12)
    assert found.x.maximum > 200
    assert found.y.shape == (40,)
    assert set(found.results) == {"loss", "accuracy"}
    told = ran.text("stdout").rpartition("told ")[2]
    for value in found.results.values():
        assert str(value) in told


PREDICTIONS = {
    "by position": "model.predict(x_test)",
    "by keyword": "model.predict(x=x_test, verbose=0, batch_size=7)",
    "as one batch": "model.predict_on_batch(x_test)",
}


@pytest.mark.parametrize("case", PREDICTIONS)
def test_a_prediction_is_recorded_as_a_test_without_results(kernel, case):
    code = f"model.fit(x, y, verbose=0)\ntold = {PREDICTIONS[case]}\nprint(told.shape)"
    ran = recorded(kernel, code)
    (found,) = ran.evaluations
    assert (found.how, found.after_fits, found.completed) == ("predict", 1, True)
    assert (found.samples, found.y, found.results) == (40, None, {})
    assert "(40, 4)" in ran.text("stdout")


def test_validation_within_a_training_is_no_evaluation(kernel):
    ran = recorded(
        kernel,
        "model.fit(x, y, validation_data=(x_test, y_test), epochs=2, verbose=0)\n"
        "model.evaluate(x, y, verbose=0)\nmodel.fit(x, y, validation_split=0.5, verbose=0)",
    )
    assert len(ran.fits) == 2
    assert [(one.samples, one.after_fits) for one in ran.evaluations] == [(120, 1)]


def test_an_evaluation_within_a_training_is_one(kernel):
    ran = recorded(
        kernel,
        "class Look(keras.callbacks.Callback):\n"
        "    def on_epoch_end(self, epoch, logs=None):\n"
        "        self.model.evaluate(x[:30], y[:30], verbose=0)\n"
        "model.fit(x, y, validation_data=(x_test, y_test), verbose=0, callbacks=[Look()])",
    )
    assert [one.samples for one in ran.evaluations] == [30]
    assert set(ran.evaluations[0].results) == {"loss", "accuracy"}


def test_a_pipeline_has_no_samples_and_a_failed_evaluation_no_results(kernel):
    ran = recorded(
        kernel,
        "import tensorflow as tf\n"
        "model.evaluate(tf.data.Dataset.from_tensor_slices((x, y)).batch(8), verbose=0)\n"
        "compiled(()).evaluate(x, y, verbose=0)\n"
        "try:\n    model.evaluate(x[:, :3], y)\nexcept Exception:\n    pass",
    )
    pipeline, bare, failed = ran.evaluations
    assert (pipeline.samples, pipeline.x.shape) == (None, (None, 12))
    assert set(bare.results) == {"loss"}
    assert (bare.model, failed.model) == (1, 0)
    assert not failed.completed
    assert failed.results == {}


def test_a_loop_over_single_samples_is_not_described_without_end(kernel):
    ran = recorded(
        kernel,
        "import grader.worker.recorder as module\nmodule.MOST_EVALUATIONS = 3\n"
        "for i in range(5):\n    assert len(model.evaluate(x[i:i+1], y[i:i+1], verbose=0)) == 2",
    )
    assert len(ran.evaluations) == 3


# ------------------------------------------------------------------ facts of arrays


@pytest.mark.parametrize(
    ("array", "mean", "one_hot"),
    [
        ("np.full((300, 3), 3e38, 'float32')", 3e38, False),
        ("np.full((300, 3), 0.1, 'float32').T", 0.1, False),
        ("np.eye(3)[np.arange(300) % 3]", 1 / 3, True),
        ("np.vstack([np.eye(3)[np.arange(297) % 3], np.ones((3, 3))])", 306 / 900, False),
        ("np.arange(300).reshape(100, 3) > 150", 149 / 300, False),
    ],
)
def test_facts_of_large_and_small_arrays_mean_the_same(kernel, array, mean, one_hot):
    ran = recorded(kernel, f"a = {array}")
    facts = ran.variables["a"]
    assert facts.mean == pytest.approx(mean, rel=1e-6)
    assert facts.one_hot is one_hot


# ------------------------------------------------------------------ where weights are from

STORED = "model.fit(x, y, epochs=2, verbose=0)\nkept = model.get_weights()\n"
ORIGINS = {
    "never trained": ("", [], False),
    "trained": ("model.fit(x, y, verbose=0)", [True], True),
    "trained twice, and back again": (
        f"{STORED}model.fit(x, y, verbose=0)\nmodel.set_weights(kept)",
        [True, True],
        True,
    ),
    "the best epoch brought back": (
        (
            "best = keras.callbacks.ModelCheckpoint('b.weights.h5', monitor='loss', mode='max',\n"
            "    save_best_only=True, save_weights_only=True)\n"
            "model.fit(x, y, epochs=3, verbose=0, callbacks=[best])\n"
            "model.load_weights('b.weights.h5')"
        ),
        [True],
        True,
    ),
    "stopped early, with the best weights": (
        (
            "stop = keras.callbacks.EarlyStopping('loss', mode='max', patience=1,\n"
            "    restore_best_weights=True)\n"
            "model.fit(x, y, epochs=4, verbose=0, callbacks=[stop])"
        ),
        [True],
        True,
    ),
    "copied to another network": (
        (
            "model.fit(x, y, verbose=0)\nother = compiled()\n"
            "other.set_weights(model.get_weights())\nmodel = other"
        ),
        [True],
        True,
    ),
    "written down": (
        "model.fit(x, y, verbose=0)\nmodel.set_weights([w + 1 for w in model.get_weights()])",
        [True],
        False,
    ),
    "trained by hand afterwards": (
        "model.fit(x, y, verbose=0)\nmodel.train_on_batch(x, y)",
        [True],
        False,
    ),
    "a rate of zero": (
        "model.optimizer.learning_rate = 0.0\nmodel.fit(x, y, epochs=2, verbose=0)",
        [False],
        True,
    ),
    "built by its first batch": (
        (
            "model = keras.Sequential([layers.Dense(4, activation='softmax')])\n"
            "model.compile('sgd', 'sparse_categorical_crossentropy')\nmodel.fit(x, y, verbose=0)"
        ),
        [None],
        True,
    ),
}


@pytest.mark.parametrize("case", ORIGINS)
def test_it_is_told_whether_recorded_trainings_made_the_weights(kernel, case):
    code, changed, by_fit = ORIGINS[case]
    ran = recorded(kernel, code)
    (found,) = [one for one in ran.messages if isinstance(one, ModelsFound)]
    (judged,) = [model for model in found.models if "model" in model.variables]
    assert [fit.changed for fit in ran.fits] == changed
    assert judged.by_fit is by_fit
    assert found.patched == ()


def test_replaced_methods_are_told_of(kernel):
    ran = recorded(
        kernel,
        "class Anything(float):\n    __eq__ = lambda a, b: True\n"
        "    __hash__ = float.__hash__\n"
        "keras.Model.evaluate = lambda *a, **k: [0.0, Anything(1.0)]\n"
        "keras.Model.save = lambda *a, **k: None\nmodel.evaluate(x, y)",
    )
    (found,) = [one for one in ran.messages if isinstance(one, ModelsFound)]
    assert found.patched == ("evaluate", "save")
    own = recorded(
        kernel,
        "class Mine(keras.Model):\n    def train_step(self, data):\n"
        "        return super().train_step(data)\n",
    )
    (found,) = [one for one in own.messages if isinstance(one, ModelsFound)]
    assert found.patched == ()
