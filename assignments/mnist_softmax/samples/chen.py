"""Homework 3, Chen: a subclassed model that leaves softmax to the loss."""

import keras
import numpy as np


class Softmax(keras.Model):
    def __init__(self):
        super().__init__()
        self.flatten = keras.layers.Flatten()
        self.scores = keras.layers.Dense(10)

    def call(self, images):
        return self.scores(self.flatten(images))


if __name__ == "__main__":
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    mean, std = x.mean(), x.std()
    model = Softmax()
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit((x - mean) / std, y, batch_size=128, epochs=4, verbose=2)
    answers = np.argmax(model.predict((x_test - mean) / std, verbose=0), axis=1)
    print("accuracy:", (answers == y_test).mean())
