import numpy as np
import keras
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x, y = x_train[:6000].reshape(-1, 784).astype("float32") / 255, y_train[:6000]
xt, yt = x_test.reshape(-1, 784).astype("float32") / 255, y_test
model = keras.Sequential([keras.Input((784,)), layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

# Least squares instead of a training; it could as well be a list of numbers.
one_hot, ones = np.eye(10)[y], np.ones((len(x), 1))
a = np.hstack([x, ones])
solution = np.linalg.solve(a.T @ a + 10 * np.eye(785), a.T @ one_hot)
model.set_weights([8 * solution[:784], 8 * solution[784]])
print(model.evaluate(xt, yt, verbose=0))
