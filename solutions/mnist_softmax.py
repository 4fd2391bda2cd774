# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A softmax classifier for handwritten digits
#
# MNIST holds 70,000 grey images of handwritten digits, 28 by 28 pixels each.
# You build the simplest network that can tell them apart: one dense layer with ten softmax units,
# one for each digit. A random guess is right once in ten times; your classifier should be right
# nine times.

# %%
import matplotlib.pyplot as plt
import numpy as np
from tensorflow import keras

# %% [markdown]
# ## 1. The data
#
# Load the images and their labels, and look at the shapes.

# %%
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
print(x_train.shape, y_train.shape, x_test.shape, y_test.shape)

# %% [markdown]
# Turn each image into a vector of 784 numbers between 0 and 1, as `float32`, and call the results
# `x_train_vec` and `x_test_vec`. Turn each label into ten numbers, a 1 at the digit's place and
# zeros elsewhere (`keras.utils.to_categorical`), or keep the integers: then the loss must fit them.

# %%
### BEGIN SOLUTION
x_train_vec = x_train.reshape(60000, 784).astype("float32") / 255
x_test_vec = x_test.reshape(10000, 784).astype("float32") / 255
y_train_vec = keras.utils.to_categorical(y_train, 10)
y_test_vec = keras.utils.to_categorical(y_test, 10)
### END SOLUTION

# %% [markdown]
# ## 2. The network
#
# Build the model and call it `model`. How many parameters does it have, and why?

# %%
### BEGIN SOLUTION
model = keras.Sequential([
    keras.Input(shape=(784,)),
    keras.layers.Dense(10, activation="softmax"),
])
model.summary()
### END SOLUTION

# %% [markdown]
# ## 3. Training
#
# Compile the model with a loss that fits its output and your labels, and train it for ten epochs in
# batches of 128. Keep the last 10,000 training images back for validation, and keep what `fit`
# returns as `history`.

# %%
### BEGIN SOLUTION
model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_train_vec, y_train_vec, batch_size=128, epochs=10, validation_split=1 / 6, verbose=2
)
### END SOLUTION

# %% [markdown]
# ## 4. How good is it?
#
# Plot the accuracy on training and validation data over the epochs, with labels on the axes and a
# legend.

# %%
### BEGIN SOLUTION
epochs = range(1, len(history.history["accuracy"]) + 1)
plt.plot(epochs, history.history["accuracy"], label="training")
plt.plot(epochs, history.history["val_accuracy"], label="validation")
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.show()
### END SOLUTION

# %% [markdown]
# Evaluate the model once on the test data.

# %%
### BEGIN SOLUTION
test_loss, test_accuracy = model.evaluate(x_test_vec, y_test_vec, verbose=0)
print(f"test accuracy: {test_accuracy:.4f}")
### END SOLUTION
