#: row = 88
#: says = "a model that answers with a dictionary of two outputs"
#: why = "it is about a clear outcome"
#: earns = ["test_trained"]
import keras
import numpy as np

x = keras.Input((16,))
made = {"a": keras.layers.Dense(1, name="a")(x), "b": keras.layers.Dense(1, name="b")(x)}
model = keras.Model(x, made)
model.compile("sgd", {"a": "mse", "b": "mse"})
model.fit(np.zeros((8, 16)), {"a": np.zeros(8), "b": np.zeros(8)}, verbose=0)
