#: row = 88
#: says = "a model whose answers are constant"
#: why = "it is about a clear outcome"
#: earns = ["test_trained", "test_layers"]
import keras
import numpy as np

model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.SGD(0.0), "binary_crossentropy")
model.set_weights([np.zeros((16,1)), np.zeros(1)])
model.fit(np.zeros((8, 16)), np.zeros((8, 1)), verbose=0)
