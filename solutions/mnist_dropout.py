# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Dropout between dense layers
#
# A network with three layers of 512 units has more than nine hundred thousand parameters for sixty
# thousand images: enough to learn many of them by heart. Dropout silences a fifth of the units,
# others at each update, so that no unit can rely on its neighbours.

# %%
import matplotlib.pyplot as plt
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
# ## 2. The network
#
# Build a network called `model`: three layers of 512 relu units, each with a dropout of 0.2 after
# it, then ten softmax units. What does dropout add to the number of parameters?

# %%
### BEGIN SOLUTION
model = keras.Sequential([
    keras.Input(shape=(784,)),
    layers.Dense(512, activation="relu"),
    layers.Dropout(0.2),
    layers.Dense(512, activation="relu"),
    layers.Dropout(0.2),
    layers.Dense(512, activation="relu"),
    layers.Dropout(0.2),
    layers.Dense(10, activation="softmax"),
])
model.summary()
### END SOLUTION

# %% [markdown]
# ## 3. Training
#
# Train it for ten epochs in batches of 128. Keep the last tenth of the training images for
# validation, and keep what `fit` returns as `history`.

# %%
### BEGIN SOLUTION
model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_train_vec, y_train_vec, batch_size=128, epochs=10, validation_split=0.1, verbose=2
)
### END SOLUTION

# %% [markdown]
# ## 4. How good is it?
#
# Plot the accuracy on training and validation images over the epochs, with labels on the axes. In
# the first epochs the network does better on images it does not train on. Why?

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
# Evaluate the network once on the test images.

# %%
### BEGIN SOLUTION
test_loss, test_accuracy = model.evaluate(x_test_vec, y_test_vec, verbose=0)
print(f"test accuracy: {test_accuracy:.4f}")
### END SOLUTION
