# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A multi-layer perceptron for handwritten digits
#
# The softmax classifier sees 784 pixels and decides at once. Here two hidden layers stand in
# between. The network is almost a hundred times larger, and you have to find out how long to train
# it without asking the test images.

# %%
import matplotlib.pyplot as plt
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

# %% [markdown]
# ## 1. The data
#
# Load MNIST, turn the images into vectors of 784 numbers between 0 and 1, and bring the labels into
# the form that your loss wants.

# %%
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()

### BEGIN SOLUTION
x_train_vec = x_train.reshape(60000, 784).astype("float32") / 255
x_test_vec = x_test.reshape(10000, 784).astype("float32") / 255
y_train_vec = keras.utils.to_categorical(y_train, 10)
y_test_vec = keras.utils.to_categorical(y_test, 10)
### END SOLUTION

# %% [markdown]
# Part the training images by chance: 50,000 to learn from, 10,000 for validation. One permutation of
# the numbers 0 to 59,999 serves for images and labels, so that each image keeps its label.

# %%
### BEGIN SOLUTION
order = np.random.permutation(60000)
learn, keep = order[:50000], order[50000:]
x_learn, y_learn = x_train_vec[learn], y_train_vec[learn]
x_valid, y_valid = x_train_vec[keep], y_train_vec[keep]
print(x_learn.shape, y_learn.shape, x_valid.shape, y_valid.shape)
### END SOLUTION

# %% [markdown]
# ## 2. The network
#
# Build a network called `model`: two layers of 500 relu units, then ten softmax units. Before you
# look at the summary, work out how many parameters each layer has.

# %%
### BEGIN SOLUTION
model = keras.Sequential([
    keras.Input(shape=(784,)),
    layers.Dense(500, activation="relu"),
    layers.Dense(500, activation="relu"),
    layers.Dense(10, activation="softmax"),
])
model.summary()
### END SOLUTION

# %% [markdown]
# ## 3. Training
#
# Train in batches of 128, with the 10,000 kept images as `validation_data`, and keep what `fit`
# returns as `history`. How many epochs are enough? Decide by the validation images: stop when they
# no longer get better. Twenty epochs is the most that counts.

# %%
### BEGIN SOLUTION
model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_learn,
    y_learn,
    batch_size=128,
    epochs=15,
    validation_data=(x_valid, y_valid),
    callbacks=[
        keras.callbacks.EarlyStopping(
            monitor="val_accuracy", patience=3, restore_best_weights=True
        )
    ],
    verbose=2,
)
### END SOLUTION

# %% [markdown]
# Plot the accuracy on training and validation images over the epochs, with labels on the axes and a
# legend. Where do the two curves part, and what does that mean?

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
# ## 4. How good is it?
#
# Only now, when nothing is left to decide: evaluate the network once on the test images.

# %%
### BEGIN SOLUTION
test_loss, test_accuracy = model.evaluate(x_test_vec, y_test_vec, verbose=0)
print(f"test accuracy: {test_accuracy:.4f}")
### END SOLUTION
