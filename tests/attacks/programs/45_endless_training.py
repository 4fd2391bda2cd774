#: row = 45
#: says = "trains for a thousand million epochs, on a generator without end"
#: why = "it is about a clear outcome"
#: ending = ["timeout"]
import time

import keras
import numpy as np


def batches():
    end = time.monotonic() + 60
    while time.monotonic() < end:
        yield np.zeros((8, 16)), np.zeros((8, 1))


model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(1, activation="sigmoid")])
model.compile("sgd", "binary_crossentropy")
model.fit(batches(), steps_per_epoch=50, epochs=10**9, verbose=0)
