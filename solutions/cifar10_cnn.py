# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A convolutional network for colour images
#
# CIFAR-10 holds 60,000 colour photographs of ten kinds of things, 32 by 32 pixels each. They are
# harder than digits: nothing stands in the middle, and no two cats look alike. A random guess is
# right once in ten times; your network passes six in ten once it is trained for long enough, and
# with the two epochs that count here it comes near.

# %%
import matplotlib.pyplot as plt
from tensorflow import keras
from tensorflow.keras import layers

# %% [markdown]
# ## 1. The data
#
# Load the images, look at a few, and scale the pixels to numbers between 0 and 1. The labels come as
# one column, of shape (50000, 1): what does your loss want?

# %%
(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
print(x_train.shape, y_train.shape, x_test.shape, y_test.shape)

### BEGIN SOLUTION
figure, axes = plt.subplots(2, 5)
for axis, image, label in zip(axes.flat, x_train, y_train[:, 0]):
    axis.imshow(image)
    axis.set_title(str(label))
    axis.axis("off")
plt.show()

train_images = x_train.astype("float32") / 255
test_images = x_test.astype("float32") / 255
train_labels = keras.utils.to_categorical(y_train, 10)
test_labels = keras.utils.to_categorical(y_test, 10)
### END SOLUTION

# %% [markdown]
# ## 2. The network
#
# Build this network and call it `model`:
#
# | layer | units or filters | output |
# |---|---|---|
# | convolution 3 × 3, relu, keeps the size | 32 | 32 × 32 × 32 |
# | convolution 3 × 3, relu | 32 | 30 × 30 × 32 |
# | max pooling 2 × 2 | | 15 × 15 × 32 |
# | dropout 0.25 | | |
# | convolution 3 × 3, relu, keeps the size | 64 | 15 × 15 × 64 |
# | convolution 3 × 3, relu | 64 | 13 × 13 × 64 |
# | max pooling 2 × 2 | | 6 × 6 × 64 |
# | dropout 0.25 | | |
# | flatten | | 2,304 |
# | dense, relu | 512 | 512 |
# | dropout 0.5 | | |
# | dense, softmax | 10 | 10 |
#
# Which layer has most of the parameters, and why is it not a convolution?

# %%
### BEGIN SOLUTION
model = keras.Sequential([
    keras.Input(shape=(32, 32, 3)),
    layers.Conv2D(32, (3, 3), padding="same", activation="relu"),
    layers.Conv2D(32, (3, 3), activation="relu"),
    layers.MaxPooling2D((2, 2)),
    layers.Dropout(0.25),
    layers.Conv2D(64, (3, 3), padding="same", activation="relu"),
    layers.Conv2D(64, (3, 3), activation="relu"),
    layers.MaxPooling2D((2, 2)),
    layers.Dropout(0.25),
    layers.Flatten(),
    layers.Dense(512, activation="relu"),
    layers.Dropout(0.5),
    layers.Dense(10, activation="softmax"),
])
model.summary()
### END SOLUTION

# %% [markdown]
# ## 3. Training
#
# An epoch takes about a minute. Train as long as you like on your own machine; when your work is
# graded, training ends after two epochs, so choose an optimizer that learns fast. Keep what `fit`
# returns as `history`.

# %%
### BEGIN SOLUTION
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(train_images, train_labels, batch_size=64, epochs=2, verbose=2)
### END SOLUTION

# %% [markdown]
# ## 4. How good is it?
#
# Plot the accuracy over the epochs, with labels on the axes, and evaluate the network once on the
# test images.

# %%
### BEGIN SOLUTION
epochs = range(1, len(history.history["accuracy"]) + 1)
plt.plot(epochs, history.history["accuracy"], marker="o", label="training")
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.show()

test_loss, test_accuracy = model.evaluate(test_images, test_labels, verbose=0)
print(f"test accuracy: {test_accuracy:.4f}")
### END SOLUTION
