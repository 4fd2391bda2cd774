import pytest

pytestmark = pytest.mark.keras

COMMON = """
import gc
import threading
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers
from grader.worker.feeding import DirectFeed

rng = np.random.default_rng(5)
x = rng.random((500, 12), "float32")
y = rng.integers(0, 4, 500)
told = []

def made(*more, **options):
    model = keras.Sequential([
        keras.Input((12,)), *more, layers.Dense(8, activation="relu"),
        layers.Dense(4, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model

def use(model, inputs=x, targets=y, **options):
    options = {"epochs": 2, "batch_size": 16, "verbose": 0} | options
    told.append(model.fit(inputs, targets, **options).history)
    told.append(model.evaluate(inputs, targets, verbose=0, return_dict=True))
    told.append({"answers": model.predict(inputs, verbose=0)})
"""
KEEP = """
feed = next((one for one in gc.get_objects() if isinstance(one, DirectFeed)), None)
kept = {"feed": np.array([feed.copied, feed.begun, feed.untuned] if feed else [])}
for place, variable in enumerate([*model.variables, *model.optimizer.variables]):
    kept[f"{place} {variable.path}"] = np.asarray(variable)
for number, values in enumerate(told):
    kept |= {f"told {number} {name}": np.asarray(value) for name, value in values.items()}
kept["random"] = keras.random.normal((3,)).numpy()
kept["random of TensorFlow"] = tf.random.normal((3,)).numpy()
np.savez("kept.npz", **kept)
"""
FED = {
    "arrays": "model = made()\nuse(model)",
    "not shuffled": "model = made()\nuse(model, shuffle=False)",
    "shuffled in batches": "model = made()\nuse(model, shuffle='batch')",
    "one batch": "model = made()\nuse(model, batch_size=500)",
    "double precision": "model = made()\nuse(model, x.astype('float64'))",
    "half precision": "model = made()\nuse(model, x.astype('float16'))",
    "bytes and truths": "model = made(layers.Rescaling(1 / 255))\n"
    "use(model, (x * 255).astype('uint8'), y.astype('uint8'))\nuse(model, x > 0.5)",
    "another order in memory": "model = made()\nuse(model, np.asfortranarray(x))\n"
    "use(model, np.repeat(x, 2, axis=1)[::2, ::2], y[::2])",
    "another order of bytes": "model = made()\nuse(model, x.astype('>f4').astype('float32'))",
    "a table": "model = made()\nuse(model, pd.DataFrame(x), pd.Series(y))",
    "validation, weights, classes": "model = made(layers.Dropout(0.3))\n"
    "use(model, validation_split=0.2, class_weight={0: 1, 1: 2, 2: 3, 3: 4})\n"
    "use(model, validation_data=(x[:90], y[:90]), sample_weight=np.linspace(0, 1, 500))",
    "several inputs": "a, b = keras.Input((12,)), keras.Input((12,))\n"
    "h = layers.Dropout(0.1)(layers.Concatenate()([a, b]))\n"
    "model = keras.Model({'a': a, 'b': b}, layers.Dense(4, activation='softmax')(h))\n"
    "model.compile('sgd', 'sparse_categorical_crossentropy')\n"
    "use(model, {'a': x, 'b': x[::-1]})",
    "an array that changes meanwhile": "model = made()\nmine = x.copy()\n"
    "class Spoil(keras.callbacks.Callback):\n"
    "    def on_epoch_end(self, epoch, logs=None):\n        mine[:] = 7\n"
    "use(model, mine, callbacks=[Spoil()])\nassert (mine == 7).all()",
    "a training within a training": "model = made()\n"
    "class Other(keras.callbacks.Callback):\n"
    "    def on_epoch_end(self, epoch, logs=None):\n        use(made(), epochs=1)\n"
    "use(model, callbacks=[Other()])",
}
LEFT = {
    "pipeline": "model = made()\n"
    "told.append(model.fit(tf.data.Dataset.from_tensor_slices((x, y)).shuffle(99).batch(8),\n"
    "    epochs=2, verbose=0).history)",
    "generator": "model = made()\n"
    "told.append(model.fit(((x[i:i + 8], y[i:i + 8]) for i in range(0, 496, 8)),\n"
    "    verbose=0).history)",
    "threads": "model = made()\nwait = threading.Event()\n"
    "thread = threading.Thread(target=wait.wait)\nthread.start()\nuse(model)\n"
    "wait.set()\nthread.join()",
    "pipeline of one's own for arrays": "from keras.src.trainers.data_adapters import "
    "array_data_adapter as module\n"
    "once = module.ArrayDataAdapter.get_tf_dataset\n"
    "module.ArrayDataAdapter.get_tf_dataset = lambda self: once(self).map(\n"
    "    lambda a, b: (a + tf.random.normal(tf.shape(a)), b), num_parallel_calls=4)\n"
    "model = made()\ntold.append(model.fit(x, y, verbose=0).history)",
}


def both(kernel, code):
    speeds = [{"direct_feed": wanted} for wanted in (False, True)]
    runs = kernel.run_all((COMMON, code, KEEP), [{"speed": speed} for speed in speeds])
    for run in runs:
        assert run.outcomes == ["ok"] * 3, run.errors
    usual, direct = (run.arrays() for run in runs)
    assert not usual.pop("feed").size
    counted = direct.pop("feed").tolist()
    assert list(usual) == list(direct)
    assert [name for name in usual if usual[name].tobytes() != direct[name].tobytes()] == []
    return counted


@pytest.mark.parametrize("case", FED)
def test_what_is_fed_directly_is_learnt_the_same(kernel, case):
    copied, begun, untuned = both(kernel, FED[case])
    assert copied >= 5 or case == "a table"
    assert begun >= 5
    assert untuned >= 3


@pytest.mark.parametrize("case", LEFT)
def test_other_pipelines_are_begun_as_ever(kernel, case):
    _, begun, untuned = both(kernel, LEFT[case])
    assert begun == 0
    assert untuned == 0 or case == "threads"


def test_operations_are_deterministic_again(kernel):
    ran = kernel.run(
        COMMON,
        "model = made()\nuse(model)\n"
        "from tensorflow.python.framework import config\n"
        "assert config.is_op_determinism_enabled()",
        "tf.config.experimental.enable_op_determinism()\n"
        "from tensorflow.python.eager import context\ncontext.context()._seed = None\n"
        "use(model)",
        speed={"direct_feed": True},
    )
    assert ran.outcomes == ["ok", "ok", "raised"], ran.errors
    assert "seed" in ran.errors[-1].message
