#: row = 11
#: says = "a model that fails on the held-out inputs with their values in its message"
#: control = "judge"
#: earns = ["test_trained"]
import keras
import numpy as np

model = keras.Sequential([keras.Input((16,)), keras.layers.Embedding(10, 1), keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")])
model.compile("sgd", "binary_crossentropy")
model.fit(np.zeros((8, 16)), np.zeros(8), verbose=0)
