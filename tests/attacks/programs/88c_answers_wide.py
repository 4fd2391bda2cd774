#: row = 88
#: says = "a model whose answers are wide"
#: why = "it is about a clear outcome"
#: earns = ["test_trained"]
import keras
import numpy as np

model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(3, activation="softmax")])
model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy")
model.set_weights([np.ones((16,3)), np.zeros(3)])
model.fit(np.zeros((8, 16)), np.zeros((8, 3)), verbose=0)
