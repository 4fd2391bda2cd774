# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A dense network for handwritten digits
#
# One hidden layer makes the difference: between the 784 pixels and the ten outputs stand 512 units
# that look for patterns. The softmax classifier was right nine times out of ten; this network
# should be wrong less than three times out of a hundred.

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
train_images = x_train.reshape((60000, 28 * 28)).astype("float32") / 255
test_images = x_test.reshape((10000, 28 * 28)).astype("float32") / 255
train_labels = keras.utils.to_categorical(y_train)
test_labels = keras.utils.to_categorical(y_test)
### END SOLUTION

# %% [markdown]
# ## 2. The network
#
# Build a network called `network`: 512 relu units, then ten softmax units.

# %%
### BEGIN SOLUTION
network = keras.Sequential()
network.add(keras.Input(shape=(28 * 28,)))
network.add(layers.Dense(512, activation="relu"))
network.add(layers.Dense(10, activation="softmax"))
network.summary()
### END SOLUTION

# %% [markdown]
# ## 3. Training
#
# Train it for five epochs in batches of 128 with the optimizer `rmsprop`.

# %%
### BEGIN SOLUTION
network.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
history = network.fit(train_images, train_labels, epochs=5, batch_size=128, verbose=2)
### END SOLUTION

# %% [markdown]
# ## 4. How good is it?
#
# Plot the accuracy over the epochs, and evaluate the network once on the test data.

# %%
### BEGIN SOLUTION
plt.plot(range(1, 6), history.history["accuracy"], label="training")
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.show()

test_loss, test_accuracy = network.evaluate(test_images, test_labels, verbose=0)
print(f"test accuracy: {test_accuracy:.4f}")
### END SOLUTION
