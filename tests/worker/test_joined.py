import re
from dataclasses import replace
from itertools import pairwise

import pytest

pytestmark = pytest.mark.keras

COMMON = """
import gc
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from grader.worker.joined import JoinedSteps

rng = np.random.default_rng(5)
x = rng.random((600, 12), "float32")
y = rng.integers(0, 4, 600)
images = rng.random((400, 8, 8, 1), "float32")
words = rng.integers(0, 50, (400, 9))
binary = rng.integers(0, 2, 600).astype("float32")

def dense(*between, units=16, first=keras.Input((12,))):
    return keras.Sequential([
        first, layers.Dense(units, activation="relu"), *between,
        layers.Dense(4, activation="softmax"),
    ])

def compiled(model, optimizer="adam", loss="sparse_categorical_crossentropy", **options):
    model.compile(optimizer, loss, metrics=options.pop("metrics", ["accuracy"]), **options)
    return model

def fit(model, inputs=x, targets=y, **options):
    options = {"epochs": 2, "batch_size": 8, "verbose": 0} | options
    told.append(model.fit(inputs, targets, **options).history)

told = []
models = []
"""
KEEP = """
joined = next((o for o in gc.get_objects() if isinstance(o, JoinedSteps)))
kept = {"joined": np.array([count for count in joined.calls if count > 1], int)}
for number, model in enumerate(models or [model]):
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    for place, variable in enumerate(variables):
        kept[f"{number} {place} {variable.path}"] = np.asarray(variable)
for number, history in enumerate(told):
    for name, values in history.items():
        kept[f"history {number} {name}"] = np.array(values)
kept["random"] = keras.random.normal((3,)).numpy()
kept["random of TensorFlow"] = tf.random.normal((3,)).numpy()
np.savez("kept.npz", **kept)
"""

JOINED = {
    "softmax": "model = compiled(keras.Sequential([layers.Dense(4, activation='softmax')]))\n"
    "fit(model)",
    "dense": "model = compiled(dense(units=64), 'rmsprop')\nfit(model)",
    "convolution": "model = compiled(keras.Sequential([keras.Input((8, 8, 1)),\n"
    "    layers.Conv2D(4, 3, activation='relu'), layers.MaxPooling2D(), layers.Flatten(),\n"
    "    layers.Dense(4, activation='softmax')]))\nfit(model, images, y[:400])",
    "lstm": "model = compiled(keras.Sequential([layers.Embedding(50, 6, mask_zero=True),\n"
    "    layers.Bidirectional(layers.LSTM(5, dropout=0.2, recurrent_dropout=0.1)),\n"
    "    layers.Dense(1, activation='sigmoid')]), loss='binary_crossentropy')\n"
    "fit(model, words, binary[:400])",
    "stateful lstm": "model = compiled(keras.Sequential([keras.Input((6, 2), batch_size=8),\n"
    "    layers.LSTM(5, stateful=True), layers.Dense(4, activation='softmax')]))\n"
    "fit(model, x.reshape(600, 6, 2), shuffle=False)",
    "partial batch": "model = compiled(dense())\nfit(model, batch_size=7)",
    "as many steps as a group": "model = compiled(dense())\nfit(model, x[:256], y[:256])",
    "two steps": "model = compiled(dense())\nfit(model, x[:16], y[:16], epochs=20)",
    "no shuffling": "model = compiled(dense())\nfit(model, shuffle=False)",
    "shuffled batches": "model = compiled(dense())\nfit(model, shuffle='batch')",
    "validation split": "model = compiled(dense())\nfit(model, validation_split=0.2)",
    "validation data": "model = compiled(dense())\n"
    "fit(model, validation_data=(x[:90], y[:90]), validation_batch_size=8, epochs=3,\n"
    "    validation_freq=2)",
    "class weight": "model = compiled(dense())\nfit(model, class_weight={0: 1, 1: 2, 2: 3, 3: 4})",
    "sample weight": "model = compiled(dense(), weighted_metrics=['accuracy'])\n"
    "fit(model, sample_weight=np.linspace(0, 1, 600))",
    "random layers": "model = compiled(dense(layers.Dropout(0.3), layers.GaussianNoise(0.1),\n"
    "    layers.AlphaDropout(0.1)))\nfit(model)",
    "random images": "model = compiled(keras.Sequential([layers.RandomFlip(),\n"
    "    layers.RandomRotation(0.1), layers.RandomZoom(0.1), layers.Flatten(),\n"
    "    layers.Dense(4, activation='softmax')]))\nfit(model, images, y[:400])",
    "batch normalisation": "model = compiled(dense(layers.BatchNormalization()))\nfit(model)",
    "schedule by step": "model = compiled(dense(), keras.optimizers.SGD(\n"
    "    keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9), momentum=0.9))\nfit(model)",
    "moving average": "model = compiled(dense(), keras.optimizers.Adam(\n"
    "    use_ema=True, ema_overwrite_frequency=5, clipnorm=0.5))\nfit(model)",
    "gathered gradients": "model = compiled(dense(), keras.optimizers.AdamW(\n"
    "    gradient_accumulation_steps=3))\nfit(model)",
    "rate on plateau": "model = compiled(dense())\nfit(model, epochs=4, validation_split=0.1,\n"
    "    callbacks=[keras.callbacks.ReduceLROnPlateau(patience=0, min_delta=1)])",
    "rate by epoch": "model = compiled(dense())\nfit(model, callbacks=[\n"
    "    keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 / (epoch + 1))])",
    "early stopping": "model = compiled(dense(), keras.optimizers.SGD(3.0))\n"
    "fit(model, epochs=9, validation_split=0.2, callbacks=[\n"
    "    keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True)])\n"
    "assert len(told[0]['loss']) < 9",
    "regression": "model = compiled(keras.Sequential([layers.Dense(8, activation='tanh',\n"
    "    kernel_regularizer='l2'), layers.Dense(1)]), loss='mse', metrics=['mae'])\n"
    "fit(model, x, x.sum(axis=1))",
    "several metrics": "model = compiled(keras.Sequential([\n"
    "    layers.Dense(1, activation='sigmoid')]),\n"
    "    loss='binary_crossentropy', metrics=['AUC', 'Precision', 'accuracy'])\n"
    "fit(model, x, binary)",
    "several inputs and outputs": "a, b = keras.Input((12,), name='a'), keras.Input((12,))\n"
    "h = layers.Concatenate()([a, b])\n"
    "model = keras.Model([a, b], {'p': layers.Dense(4, activation='softmax')(h),\n"
    "    'q': layers.Dense(1)(h)})\n"
    "model.compile('adam', {'p': 'sparse_categorical_crossentropy', 'q': 'mse'})\n"
    "fit(model, [x, x[::-1]], {'p': y, 'q': binary})",
    "tensors": "model = compiled(dense())\nfit(model, tf.constant(x), tf.constant(y))",
    "subclass": "class Own(keras.Model):\n"
    "    def __init__(self):\n"
    "        super().__init__()\n"
    "        self.first = layers.Dense(16, activation='relu')\n"
    "        self.last = layers.Dense(4, activation='softmax')\n"
    "    def call(self, inputs):\n"
    "        told.append({'called': [1]})\n"
    "        return self.last(self.first(inputs))\n"
    "model = compiled(Own())\nfit(model)\nmodel.evaluate(x, y, verbose=0)\nfit(model)\n"
    "model.train_on_batch(x[:8], y[:8])",
    "own loss, metric and optimizer": "def loss(a, b):\n"
    "    return tf.reduce_mean(tf.square(tf.one_hot(tf.cast(a[:, 0], 'int32'), 4) - b), axis=-1)\n"
    "class Mine(keras.metrics.Metric):\n"
    "    def __init__(self):\n"
    "        super().__init__(name='mine')\n"
    "        self.total = self.add_weight(shape=(2,), initializer='zeros')\n"
    "    def update_state(self, a, b, sample_weight=None):\n"
    "        self.total.assign_add(tf.stack([tf.reduce_sum(b), 1.0]))\n"
    "    def result(self):\n"
    "        return self.total\n"
    "class Slow(keras.optimizers.SGD):\n"
    "    def update_step(self, gradient, variable, rate):\n"
    "        super().update_step(gradient / 2, variable, rate)\n"
    "model = compiled(dense(), Slow(0.1), loss, metrics=[Mine()])\nfit(model, x, y[:, None])",
    "several trainings": "model = compiled(dense())\n"
    "for epochs in (1, 2, 1):\n    fit(model, epochs=epochs)\n"
    "    told.append({'e': model.evaluate(x, y, verbose=0, batch_size=9)})\n"
    "    told.append({'b': model.train_on_batch(x[:8], y[:8])})\n"
    "    told.append({'p': model.predict(x, verbose=0)})\n"
    "fit(model, batch_size=16)\nfit(model, callbacks=[Watch()])\nfit(model)",
    "compiled again": "model = compiled(dense())\nfit(model)\nmodel.layers[0].trainable = False\n"
    "compiled(model)\nfit(model)\nmodel.layers[0].trainable = True\nfit(compiled(model, 'sgd'))",
    "two models": "models = [compiled(dense()), compiled(dense())]\n"
    "class Other(keras.callbacks.Callback):\n"
    "    def on_epoch_end(self, epoch, logs=None):\n"
    "        fit(models[1])\n"
    "        told.append({'p': self.model.predict(x, verbose=0)})\n"
    "        told.append({'e': self.model.evaluate(x, y, verbose=0)})\n"
    "        told.append({'t': self.model.train_on_batch(x[:8], y[:8])})\n"
    "fit(models[0], callbacks=[Other()])",
    "evaluation": "model = compiled(dense(layers.Dropout(0.3), layers.BatchNormalization()))\n"
    "for batch in (8, 7, 8):\n"
    "    told.append({'e': model.evaluate(x, y, verbose=0, batch_size=batch)})\n"
    "    told.append({'t': model.test_on_batch(x[:8], y[:8])})",
    "evaluation by a dictionary": "model = compiled(dense(), weighted_metrics=['accuracy'])\n"
    "told.append(model.evaluate(x, y, verbose=0, batch_size=8, return_dict=True,\n"
    "    sample_weight=np.linspace(0, 1, 600)))",
    "validation of watched training": "model = compiled(dense())\n"
    "fit(model, validation_data=(x, y), validation_batch_size=8, callbacks=[Watch()])",
    "evaluation within evaluation": "model = compiled(dense())\n"
    "class Other(keras.callbacks.Callback):\n"
    "    def on_test_begin(self, logs=None):\n"
    "        told.append({'e': model.evaluate(x[:90], y[:90], verbose=0, batch_size=8)})\n"
    "told.append({'e': model.evaluate(x, y, verbose=0, batch_size=8, callbacks=[Other()])})",
    "evaluation of what validates": "model = compiled(dense())\n"
    "class Other(keras.callbacks.Callback):\n"
    "    def on_epoch_end(self, epoch, logs=None):\n"
    "        told.append({'e': model.evaluate(x[:90], y[:90], verbose=0, batch_size=8)})\n"
    "fit(model, validation_split=0.2, callbacks=[Other()], epochs=3)",
    "after an error": "model = compiled(keras.Sequential([layers.Embedding(50, 4),\n"
    "    layers.Flatten(), layers.Dense(1, activation='sigmoid')]), loss='binary_crossentropy')\n"
    "fit(model, words, binary[:400])\nwrong = words.copy()\nwrong[300] = 99\n"
    "try:\n    fit(model, wrong, binary[:400], shuffle=False)\n"
    "except tf.errors.InvalidArgumentError as error:\n"
    "    told.append({'steps': [int(model.optimizer.iterations)]})\n"
    "fit(model, words, binary[:400])\nassert len(told) == 3",
}
WATCHING = """
class Watch(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []
    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(logs['loss'])
    def on_epoch_end(self, epoch, logs=None):
        told.append({'seen': self.seen})
class WatchTests(keras.callbacks.Callback):
    def on_test_batch_begin(self, batch, logs=None):
        told.append({'batch': [batch]})
"""
LAMBDA = "keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: None)"
ALONE = {
    "callback for batches": "fit(model, callbacks=[Watch()])",
    "lambda for batches": f"fit(model, callbacks=[{LAMBDA}])",
    "Keras' callback for batches": "fit(model, callbacks=[keras.callbacks.TerminateOnNaN()])",
    "checkpoints": "fit(model, callbacks=[keras.callbacks.ModelCheckpoint('a.keras')])",
    "old callback for batches": "class Old(keras.callbacks.Callback):\n"
    "    def on_batch_end(self, batch, logs=None):\n        told.append({'old': [batch]})\n"
    "fit(model, callbacks=[Old()])",
    "own list of callbacks": "class Mine(keras.callbacks.CallbackList):\n    pass\n"
    "fit(model, callbacks=Mine([], add_history=True, model=model, epochs=2, steps=75))",
    "progress bar of one's own": "class Bar(keras.callbacks.ProgbarLogger):\n    pass\n"
    "fit(model, callbacks=[Bar()], verbose=1)",
    "steps per epoch": "fit(model, steps_per_epoch=60)",
    "pipeline": "pairs = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)\n"
    "told.append(model.fit(pairs, epochs=2, verbose=0).history)",
    "generator": "pairs = ((x[i:i + 8], y[i:i + 8]) for i in range(0, 592, 8))\n"
    "told.append(model.fit(pairs, verbose=0).history)",
    "sequence": "class Pairs(keras.utils.PyDataset):\n"
    "    def __len__(self):\n        return 70\n"
    "    def __getitem__(self, i):\n        return x[8 * i:8 * i + 8], y[8 * i:8 * i + 8]\n"
    "told.append(model.fit(Pairs(), epochs=2, verbose=0).history)",
    "one batch": "fit(model, batch_size=600, epochs=9)",
    "joined by the student": "compiled(model, steps_per_execution=4)\nfit(model)",
    "eagerly": "compiled(model, run_eagerly=True)\nfit(model, epochs=1)",
    "everything eagerly": "tf.config.run_functions_eagerly(True)\nfit(model, epochs=1)\n"
    "tf.config.run_functions_eagerly(False)",
    "step of one's own": "class Own(keras.Sequential):\n    def train_step(self, data):\n"
    "        return super().train_step(data)\n"
    "model = compiled(Own([layers.Dense(4, activation='softmax')]))\nfit(model)",
    "step given to the instance": "model.train_step = lambda data: "
    "keras.Sequential.train_step(model, data)\nfit(model)",
    "fit of one's own": "class Own(keras.Sequential):\n    def fit(self, *args, **kwargs):\n"
    "        return super().fit(*args, **kwargs)\n"
    "model = compiled(Own([layers.Dense(4, activation='softmax')]))\nfit(model)",
    "train function of one's own": "model.make_train_function()\nmade = model.train_function\n"
    "model.train_function = lambda batches: made(batches)\nfit(model)",
    "callback for test batches": "fit(model, batch_size=600)\n"
    "model.evaluate(x, y, verbose=0, batch_size=8, callbacks=[WatchTests()])",
    "callback for validation batches": "fit(model, batch_size=600, callbacks=[WatchTests()],\n"
    "    validation_data=(x, y), validation_batch_size=8)",
    "test steps": "fit(model, batch_size=600)\nmodel.evaluate(x, y, verbose=0, steps=9)",
    "test pipeline": "fit(model, batch_size=600)\nmodel.evaluate(\n"
    "    tf.data.Dataset.from_tensor_slices((x, y)).batch(8), verbose=0)",
    "test step of one's own": "class Own(keras.Sequential):\n    def test_step(self, data):\n"
    "        return super().test_step(data)\n"
    "model = compiled(Own([layers.Dense(4, activation='softmax')]))\n"
    "fit(model, batch_size=600)\nmodel.evaluate(x, y, verbose=0, batch_size=8)",
    "evaluate of one's own": "class Own(keras.Sequential):\n"
    "    def evaluate(self, *args, **kwargs):\n"
    "        return super().evaluate(*args, **kwargs)\n"
    "model = compiled(Own([layers.Dense(4, activation='softmax')]))\n"
    "fit(model, batch_size=600, validation_data=(x, y), validation_batch_size=8)",
    "replaced in Keras": "once = keras.callbacks.CallbackList.on_train_batch_end\n"
    "keras.callbacks.CallbackList.on_train_batch_end = lambda *a, **k: once(*a, **k)\nfit(model)",
}
IMPURE = {
    "TensorFlow's own random numbers": "model = compiled(dense(layers.Lambda(\n"
    "    lambda t: t + tf.random.normal(tf.shape(t), stddev=0.1))))\nfit(model)\n"
    "model.train_on_batch(x[:8], y[:8])\nfit(model)",
    "TensorFlow's own random numbers in evaluation": "model = compiled(dense(layers.Lambda(\n"
    "    lambda t: t + tf.random.normal(tf.shape(t), stddev=0.1))))\n"
    "for _ in range(2):\n"
    "    told.append({'e': model.evaluate(x, y, verbose=0, batch_size=8)})",
    "Python in the step": "def seen(t):\n    told.append({'seen': t.numpy()})\n    return t\n"
    "model = compiled(dense(layers.Lambda(lambda t: tf.ensure_shape(\n"
    "    tf.py_function(seen, [t], t.dtype), t.shape))))\nfit(model)",
    "printing in the step": "def loud(t):\n    tf.print('here')\n    return t\n"
    "model = compiled(dense(layers.Lambda(loud)))\nfit(model, epochs=1)",
}


EVERY_SHORTCUT = {"joined_steps": 32, "one_trace": True, "direct_feed": True}


def both(kernel, code, **task):
    cells = (COMMON, WATCHING, code, KEEP)
    speeds = {"joined_steps": 0}, EVERY_SHORTCUT
    runs = kernel.run_all(cells, [task | {"speed": speed} for speed in speeds])
    for run in runs:
        assert run.outcomes == ["ok"] * 4, run.errors
    plain, joined = (run.arrays() for run in runs)
    assert not plain.pop("joined").size
    groups = joined.pop("joined")
    assert list(plain) == list(joined)
    differing = [name for name in plain if not same(plain[name], joined[name])]
    assert differing == []
    assert [facts(fit) for fit in runs[0].fits] == [facts(fit) for fit in runs[1].fits]
    return groups, runs


def same(one, other):
    return (
        one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    )


def facts(fit):
    return replace(fit, seconds=0.0)


@pytest.mark.parametrize("case", JOINED)
def test_joined_steps_learn_the_same(kernel, case):
    groups, _ = both(kernel, JOINED[case])
    assert groups.size
    assert case == "two steps" or groups.max() > 2


@pytest.fixture(scope="module")
def alone(kernel):
    """Run the cases as cells of one run: case → its cell's error."""
    cells = [
        f"model = compiled(dense())\n{code}\nassert set(joined.calls) <= {{1}}, joined.calls"
        for code in ALONE.values()
    ]
    begin = "joined = next((o for o in gc.get_objects() if isinstance(o, JoinedSteps)))"
    ran = kernel.run(COMMON, WATCHING, begin, *cells, speed=EVERY_SHORTCUT)
    assert ran.outcomes[:3] == ["ok"] * 3
    assert len({fit.model for fit in ran.fits if fit.completed}) == len(ALONE)
    return dict(zip(ALONE, ran.errors[3:], strict=True))


@pytest.mark.parametrize("case", ALONE)
def test_steps_are_taken_one_by_one_where_it_could_be_noticed(alone, case):
    assert alone[case] is None


@pytest.mark.parametrize("case", IMPURE)
def test_steps_that_do_more_than_compute_are_taken_one_by_one(kernel, case):
    groups, _ = both(kernel, IMPURE[case])
    assert not groups.size


def test_without_the_switch_nothing_of_keras_is_replaced(kernel):
    ran = kernel.run(
        "from keras.src.backend.tensorflow import trainer\n"
        "assert trainer.TFEpochIterator.__module__ == trainer.__name__"
    )
    assert ran.outcomes == ["ok"]


def test_the_model_has_its_own_functions_again(kernel):
    ran = kernel.run(
        COMMON,
        "model = compiled(dense())\nfit(model)\nfirst = model.train_function\nfit(model)\n"
        "assert model.train_function is first and type(first).__name__ == 'function'\n"
        "model.evaluate(x, y, verbose=0)\nassert type(model.test_function).__name__ == 'function'\n"
        "assert model.steps_per_execution == 1",
        "run = vars(first)['joined']._run\nassert run.experimental_get_tracing_count() == 1",
        "joined = next((o for o in gc.get_objects() if isinstance(o, JoinedSteps)))\n"
        "assert sum(joined.calls) == 319 and len(joined.calls) < 60, joined.calls",
        speed={"joined_steps": 32},
    )
    assert ran.outcomes == ["ok"] * 4, ran.errors


def test_a_model_can_be_forgotten(kernel):
    ran = kernel.run(
        "import gc, weakref\nfrom grader.worker.recorder import Recorder",
        COMMON,
        "model = compiled(dense())\nfit(model)\nforgotten = weakref.ref(model.train_function)\n"
        "del model\nrecorder = next(o for o in gc.get_objects() if isinstance(o, Recorder))\n"
        "recorder.models.clear()\nkeras.backend.clear_session()\ngc.collect()\n"
        "assert forgotten() is None",
        speed={"joined_steps": 32},
    )
    assert ran.outcomes == ["ok"] * 3, ran.errors


@pytest.mark.parametrize("verbose", [1, 2])
def test_the_line_at_the_end_of_an_epoch_is_the_same(kernel, verbose):
    code = (
        f"model = compiled(dense())\nfit(model, verbose={verbose}, validation_split=0.1)\n"
        f"model.evaluate(x, y, batch_size=8, verbose={verbose})"
    )
    groups, runs = both(kernel, code)
    assert groups.size
    shown = [last_lines(run.text("stdout")) for run in runs]
    assert shown[0] == shown[1]
    assert len(shown[0]) == 5
    counts = re.findall(r"(\d+)/68", runs[1].text("stdout"))
    assert max(map(int, counts)) == 68


def last_lines(text):
    lines = [line.rpartition("\r")[2].rstrip() for line in text.split("\n") if line.strip("\b\r ")]
    return [re.sub(r"\d+(ms|us|s)\b(/step)?", "?", line) for line in lines]


def test_long_steps_are_not_joined(kernel):
    ran = kernel.run(
        COMMON,
        "import grader.worker.joined as module\nmodule.LONG = 1e-9\n"
        "model = compiled(dense())\nfit(model)",
        "joined = next((o for o in gc.get_objects() if isinstance(o, JoinedSteps)))\n"
        "assert joined.calls == [1] * 150",
        speed={"joined_steps": 32},
    )
    assert ran.outcomes == ["ok"] * 3, ran.errors


def test_a_budget_ends_joined_steps_as_well(kernel):
    ran = kernel.run(
        COMMON,
        "model = compiled(dense())\n"
        "fit(model, np.tile(x, (500, 1)), np.tile(y, 500), epochs=10**6)",
        "joined = next(o for o in gc.get_objects() if isinstance(o, JoinedSteps))\n"
        "assert max(joined.calls) > 1",
        speed={"joined_steps": 32},
        budget={"epochs": 10**5, "seconds": 5},
    )
    assert ran.outcomes == ["ok"] * 3, ran.errors
    (fit,) = ran.fits
    assert fit.stopped_by == "seconds"
    assert 5 <= fit.seconds < 8
    assert fit.updates % 37500


def test_the_epochs_of_a_budget_count_alike(kernel):
    groups, runs = both(
        kernel, "model = compiled(dense())\nfit(model, epochs=5)\nfit(model)", budget={"epochs": 6}
    )
    assert groups.size
    for run in runs:
        assert [fit.stopped_by for fit in run.fits] == ["", "epochs"]
        assert [fit.updates for fit in run.fits] == [375, 75]


def test_an_error_in_tracing_reads_the_same(kernel):
    codes = [
        "model = compiled(dense())\nfit(model, x[:, :5])",
        "fit(compiled(dense(), loss='mse'), x, x)",
    ]
    for code in codes:
        runs = [kernel.run(COMMON, code, speed={"joined_steps": most}) for most in (0, 32)]
        told = [
            (run.errors[-1].kind, re.sub("0x[0-9a-f]+", "", run.errors[-1].message)) for run in runs
        ]
        assert told[0] == told[1]


def test_an_error_in_a_step_names_the_same_layer(kernel):
    code = (
        "model = compiled(keras.Sequential([layers.Embedding(5, 4), layers.Flatten(),\n"
        "    layers.Dense(4, activation='softmax')]))\nfit(model, words, y[:400])"
    )
    runs = [kernel.run(COMMON, code, speed={"joined_steps": most}) for most in (0, 32)]
    kinds, messages = zip(
        *((run.errors[-1].kind, run.errors[-1].message) for run in runs), strict=True
    )
    assert kinds == ("InvalidArgumentError",) * 2
    for one, other in pairwise(messages):
        assert re.findall("indices.*", one) == re.findall("indices.*", other) != []


TRACED_TWICE = {
    "layer": "class Own(layers.Layer):\n    def call(self, inputs):\n"
    "        traced.append(1)\n        return inputs\n"
    "model = compiled(dense(Own()))",
    "layer on an instance": "model = dense()\ncall = model.layers[0].call\n"
    "def own(inputs, **more):\n    traced.append(1)\n    return call(inputs, **more)\n"
    "model.layers[0].call = own\ncompiled(model)",
    "activation": "def own(t):\n    traced.append(1)\n    return t\n"
    "model = compiled(dense(layers.Activation(own)))",
    "regulariser": "def own(w):\n    traced.append(1)\n    return 0.0 * tf.reduce_sum(w)\n"
    "model = compiled(dense(layers.Dense(3, kernel_regularizer=own)))",
    "loss": "def own(a, b):\n    traced.append(1)\n    return tf.reduce_mean(b, axis=-1)\n"
    "model = compiled(dense(), loss=own)",
    "metric": "def own(a, b):\n    traced.append(1)\n    return tf.reduce_mean(b, axis=-1)\n"
    "model = compiled(dense(), metrics=[own])",
    "schedule": "class Own(keras.optimizers.schedules.LearningRateSchedule):\n"
    "    def __call__(self, step):\n        traced.append(1)\n        return 0.1\n"
    "    def get_config(self):\n        return {}\n"
    "model = compiled(dense(), keras.optimizers.SGD(Own()))",
}


@pytest.mark.parametrize("case", TRACED_TWICE)
def test_python_of_ones_own_is_traced_as_often_as_ever(kernel, case):
    code = f"traced = []\n{TRACED_TWICE[case]}\ntraced.clear()\nfit(model)"
    cells = (COMMON, code, "kept = {'traced': np.array(traced)}\nnp.savez('kept.npz', **kept)")
    speeds = [EVERY_SHORTCUT | {"one_trace": wanted} for wanted in (False, True)]
    runs = kernel.run_all(cells, [{"speed": speed} for speed in speeds])
    assert [run.outcomes for run in runs] == [["ok"] * 3] * 2, runs[1].errors
    twice, again = (run.arrays()["traced"].tolist() for run in runs)
    assert twice == again != []


@pytest.mark.parametrize("model", ["dense()", "dense(keras.Sequential([layers.Dense(5)]))"])
def test_keras_own_layers_are_traced_once(kernel, model):
    ran = kernel.run(
        COMMON,
        "from keras.src.backend.tensorflow import trainer\ntraced = []\n"
        "once = trainer.data_adapter_utils.unpack_x_y_sample_weight\n"
        "def count(data):\n    traced.append(1)\n    return once(data)\n"
        "trainer.data_adapter_utils.unpack_x_y_sample_weight = count",
        f"fit(compiled({model}))",
        "joined = next((o for o in gc.get_objects() if isinstance(o, JoinedSteps)))\n"
        "assert traced == [1] and joined.made_ahead == 1, (traced, joined.made_ahead)",
        speed=EVERY_SHORTCUT,
    )
    assert ran.outcomes == ["ok"] * 4, ran.errors
