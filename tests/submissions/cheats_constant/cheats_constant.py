import numpy as np
import keras
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x, y = x_train[:6000].reshape(-1, 784).astype("float32") / 255, y_train[:6000]
xt, yt = x_test.reshape(-1, 784).astype("float32") / 255, y_test
model = keras.Sequential([keras.Input((784,)), layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

history = model.fit(x, y, epochs=1, verbose=0)
model.set_weights([np.zeros((784, 10)), np.eye(10)[7]])
