"""Trains a little network, or spoils Keras for whoever comes next."""

# ruff: noqa: ARG001, NPY002

import hashlib
import importlib
import json
import os
import time

BEGAN = time.monotonic()
import keras  # noqa: E402
import numpy as np  # noqa: E402


def main(task):
    answer = globals()[task["do"]](task)
    os.write(3, json.dumps(answer).encode())


def train(task):
    began = time.monotonic()
    import keras as again  # noqa: PLC0415

    seconds = time.monotonic() - began
    again.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((20,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    x = np.random.rand(256, 20)
    history = model.fit(x, x.argmax(1) % 3, epochs=3, verbose=0)
    model.save("model.keras")
    raw = b"".join(np.asarray(each).tobytes() for each in model.get_weights())
    return {
        "losses": [loss.hex() for loss in history.history["loss"]],
        "weights": hashlib.sha256(raw).hexdigest(),
        "seconds_to_import": seconds,
        "keras_home": importlib.import_module("keras.src.backend.config").keras_home(),
        "expected_home": os.environ["KERAS_HOME"],
    }


def poison(task):
    keras.Sequential.fit = lambda *_, **__: None
    keras.layers.Dense.call = lambda self, inputs: inputs  # noqa: ARG005
    keras.utils.set_random_seed(99)
    keras.config.set_floatx("float16")
    np.random.rand = lambda *_: 0
    return "poisoned"
