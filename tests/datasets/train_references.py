"""Trains the course's networks as a student would, on what a student is served.

Run in a process of its own: ``train_references.py NAME SERVED HELD_OUT OUT``, with
``KERAS_HOME`` set to a small writable folder. Prints facts as JSON; writes predictions for the
held-out inputs to ``OUT``.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

name, served, held_out, out = sys.argv[1], *map(Path, sys.argv[2:])
trusted = set()
datasets = Path(os.environ["KERAS_HOME"]) / "datasets"
datasets.mkdir(parents=True)
for path in served.iterdir():
    (datasets / path.name).symlink_to(path)
    trusted.add(hashlib.sha256(path.read_bytes()).hexdigest())

import keras  # noqa: E402 - it reads KERAS_HOME when imported
import numpy as np  # noqa: E402 - beside the import above
from keras import layers  # noqa: E402 - it reads KERAS_HOME when imported
from keras.src.utils import file_utils  # noqa: E402 - it reads KERAS_HOME when imported

file_utils.validate_file = lambda path, *_args, **_options: (
    hashlib.sha256(Path(path).read_bytes()).hexdigest() in trusted
)
keras.utils.set_random_seed(0)


def mnist():
    """784-10 and 784-512-10, five epochs each."""
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    assert x_test.shape == (10000, 28, 28)
    assert y_test.shape == (10000,)
    x = x.reshape(60000, 784).astype("float32") / 255
    y = keras.utils.to_categorical(y)
    inputs = np.load(held_out / "inputs.npy").reshape(10000, 784).astype("float32") / 255
    predictions = []
    for hidden in ([], [layers.Dense(512, activation="relu")]):
        model = keras.Sequential([*hidden, layers.Dense(10, activation="softmax")])
        model.compile("rmsprop", "categorical_crossentropy", steps_per_execution=32)
        model.fit(x, y, epochs=5, batch_size=128, verbose=0)
        predictions.append(model.predict(inputs, batch_size=1000, verbose=0).argmax(axis=1))
    return predictions, {}


def small_network():
    """16-16-1."""
    model = keras.Sequential(
        [
            layers.Dense(16, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    return model


def multi_hot(sequences):
    """Which words occur, ``(n, 10000)``."""
    found = np.zeros((len(sequences), 10000), "float32")
    for row, sequence in zip(found, sequences, strict=True):
        row[sequence] = 1
    return found


def imdb():
    """16-16-1, four epochs on all reviews, and nine with a hold-out."""
    (x, y), (x_test, _) = keras.datasets.imdb.load_data(num_words=10000)
    (x_all, _), _ = keras.datasets.imdb.load_data()
    index = keras.datasets.imdb.get_word_index()
    facts = {
        "longest": max(map(len, x)),
        "tests": len(x_test),
        "highest": max(map(max, x)),
        "highest_of_all": max(map(max, x_all)),
        "words": len(index),
    }
    del x_all, x_test
    x, y = multi_hot(x), y.astype("float32")
    model = small_network()
    model.fit(x, y, epochs=4, batch_size=512, verbose=0)
    ranks, lengths = np.load(held_out / "ranks.npy"), np.load(held_out / "lengths.npy")
    inputs = np.split(ranks, np.cumsum(lengths)[:-1])
    predictions = [
        model.predict_on_batch(multi_hot(inputs[start : start + 1000]))[:, 0] > 0.5
        for start in range(0, 25000, 1000)
    ]
    validation = (x[:10000], y[:10000])
    history = small_network().fit(
        x[10000:], y[10000:], epochs=9, batch_size=512, verbose=0, validation_data=validation
    )
    return [np.concatenate(predictions)], facts | history.history


predictions, facts = {"mnist": mnist, "imdb": imdb}[name]()
np.save(out, np.array(predictions, np.uint8))
sys.stdout.write(f"{json.dumps(facts)}\n")
