# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Slash or backslash?
#
# The smallest pictures in which one can tell a / from a \ are 3 pixels high and 3 wide. You draw
# four of them by hand, as a tensor of the shape that Keras wants images in, and train a network on
# them. It is then asked about strokes that are brighter and darker than yours.

# %%
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

# %% [markdown]
# ## 1. Four images
#
# Write down `images`, a tensor of shape `(4, 3, 3, 1)`: four images, three rows, three columns, one
# grey channel. Two of them show a /, two a \. Outside of the stroke the pixels are 0, and its three
# pixels have a brightness from 1 to 9. No two images are the same.

# %%
### BEGIN SOLUTION
images = np.array([
    [[[0], [0], [9]],
     [[0], [5], [0]],
     [[9], [0], [0]]],

    [[[0], [0], [7]],
     [[0], [7], [0]],
     [[7], [0], [0]]],

    [[[8], [0], [0]],
     [[0], [8], [0]],
     [[0], [0], [8]]],

    [[[6], [0], [0]],
     [[0], [9], [0]],
     [[0], [0], [6]]],
], dtype="float32")
print(images.shape)
### END SOLUTION

# %% [markdown]
# Then `labels`, in the order of your images: 0 for a /, 1 for a \.

# %%
### BEGIN SOLUTION
labels = np.array([0, 0, 1, 1], dtype="float32")
### END SOLUTION

# %% [markdown]
# ## 2. The network
#
# Build a network called `model` that takes images of shape `(3, 3, 1)` with values from 0 to 9. How
# it looks inside is your choice, but 200 parameters are the most that it may have. Its last layer is
# one sigmoid unit.

# %%
### BEGIN SOLUTION
model = keras.Sequential([
    keras.Input(shape=(3, 3, 1)),
    layers.Flatten(),
    layers.Dense(4, activation="tanh"),
    layers.Dense(1, activation="sigmoid"),
])
model.summary()
### END SOLUTION

# %% [markdown]
# ## 3. Training
#
# Train it on your four images until it is right about all four of them. Watch its accuracy.

# %%
### BEGIN SOLUTION
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.02),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)
history = model.fit(images, labels, batch_size=4, epochs=150, verbose=0)
print(history.history["accuracy"][-1])
print(np.round(model.predict(images, verbose=0), 2))
### END SOLUTION
