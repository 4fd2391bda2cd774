# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A convolutional network for handwritten digits
#
# A dense layer does not know which pixels are neighbours: shuffle them, and it learns just as well.
# A convolution looks at small patches and looks for the same thing everywhere. So it needs few
# weights, and you design a network that beats the dense ones with a fraction of their parameters.

# %%
import matplotlib.pyplot as plt
from tensorflow import keras
from tensorflow.keras import layers

# %% [markdown]
# ## 1. The data
#
# Load MNIST and scale the pixels to numbers between 0 and 1. A convolution wants images of
# height × width × channels: give the grey images their one channel.

# %%
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()

### BEGIN SOLUTION
train_images = x_train.reshape(60000, 28, 28, 1).astype("float32") / 255
test_images = x_test.reshape(10000, 28, 28, 1).astype("float32") / 255
### END SOLUTION

# %% [markdown]
# ## 2. The network
#
# Design a network called `model`, with these bounds:
#
# - at least two convolutions, and at least one pooling layer,
# - ten softmax units at the end,
# - fewer than 407,050 parameters, which is what the network of 512 dense units had.
#
# Start small. A convolution of 3 × 3 with 32 filters on a grey image has how many parameters? How
# large are the images after it, and after pooling?

# %%
### BEGIN SOLUTION
model = keras.Sequential([
    keras.Input(shape=(28, 28, 1)),
    layers.Conv2D(32, (3, 3), activation="relu"),
    layers.MaxPooling2D((2, 2)),
    layers.Conv2D(32, (3, 3), activation="relu"),
    layers.MaxPooling2D((2, 2)),
    layers.Flatten(),
    layers.Dense(64, activation="relu"),
    layers.Dense(10, activation="softmax"),
])
model.summary()
### END SOLUTION

# %% [markdown]
# ## 3. Training
#
# Five epochs are the most that count, and four minutes. Keep some training images for validation,
# and keep what `fit` returns as `history`. With so few epochs each update counts: a learning rate
# that falls while training goes on (`keras.optimizers.schedules`) is worth a try.

# %%
### BEGIN SOLUTION
updates = 4 * 54000 // 64
rate = keras.optimizers.schedules.CosineDecay(0.003, decay_steps=updates)
model.compile(
    optimizer=keras.optimizers.Adam(rate),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
history = model.fit(
    train_images, y_train, batch_size=64, epochs=4, validation_split=0.1, verbose=2
)
### END SOLUTION

# %% [markdown]
# ## 4. How good is it?
#
# Plot the accuracy on training and validation images over the epochs, with labels on the axes, and
# evaluate the network once on the test images: at least 98.5 % of them should be recognised.

# %%
### BEGIN SOLUTION
epochs = range(1, len(history.history["accuracy"]) + 1)
plt.plot(epochs, history.history["accuracy"], label="training")
plt.plot(epochs, history.history["val_accuracy"], label="validation")
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.show()

test_loss, test_accuracy = model.evaluate(test_images, y_test, verbose=0)
print(f"test accuracy: {test_accuracy:.4f}")
### END SOLUTION
