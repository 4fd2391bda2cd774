# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Tensors, and the arithmetic of a network
#
# Before a network learns anything, its data has to be an array of numbers of the right shape, and a
# few formulas have to be at your fingertips. Here you write them down as functions. The grader
# calls each of them with inputs of its own, so keep the names and the order of the arguments.
# Whether you return an array, a tensor or a list makes no difference.

# %%
import numpy as np
from tensorflow import keras

# %% [markdown]
# ## 1. Ranks and shapes
#
# The rank of a tensor is how many axes it has. Write a function that tells it, for an array as well
# as for a plain number.

# %%
def rank(tensor):
    ### BEGIN SOLUTION
    return np.ndim(tensor)
    ### END SOLUTION

# %% [markdown]
# A dense layer takes one vector for each sample. Turn images of shape `(samples, height, width)`
# into vectors of shape `(samples, height * width)`, each image row by row.

# %%
def to_vectors(images):
    ### BEGIN SOLUTION
    return images.reshape(len(images), -1)
    ### END SOLUTION

# %% [markdown]
# Now answer in numbers. The axes of a shape come in the order that Keras has by default: samples
# first, and the channels of an image last.
#
# - `grey_images`: the shape of 60,000 grey images, 28 pixels high and 28 wide, with an axis for the
#   single channel
# - `series`: the shape of 100 series of 20 time steps with 3 measurements each
# - `video`: the shape of 4 colour films (three channels) of 240 frames, 144 pixels high, 256 wide
# - `squared_error`: the target is 1, the network says 0.4
# - `predicted_class`: a network for ten digits says
#   `[0, 0.3, 0, 0, 0, 0, 0, 0.7, 0, 0]`
# - `updates`: how often the weights change when 50,000 samples are seen in batches of 128 for 50
#   epochs

# %%
### BEGIN SOLUTION
answers = {
    "grey_images": (60000, 28, 28, 1),
    "series": (100, 20, 3),
    "video": (4, 240, 144, 256, 3),
    "squared_error": 0.36,
    "predicted_class": 7,
    "updates": 391 * 50,
}
### END SOLUTION

# %% [markdown]
# ## 2. Labels and words as vectors
#
# Write a function that turns integer labels into one row each: zeros, and a single 1 in the column
# of the label. There are `dimension` columns, whichever labels happen to occur. Do it by hand,
# without Keras.

# %%
def to_one_hot(labels, dimension=10):
    ### BEGIN SOLUTION
    results = np.zeros((len(labels), dimension))
    for row, label in enumerate(labels):
        results[row, label] = 1.0
    return results
    ### END SOLUTION

# %% [markdown]
# The same for ten classes in one line, with what Keras has for it.

# %%
def to_one_hot_with_keras(labels):
    ### BEGIN SOLUTION
    return keras.utils.to_categorical(labels, 10)
    ### END SOLUTION

# %% [markdown]
# A text is a list of word numbers, and each text has another length. Turn each into a row of
# `dimension` columns with a 1 for every word that occurs in it, however often, and 0 elsewhere.

# %%
def to_multi_hot(sequences, dimension=10000):
    ### BEGIN SOLUTION
    results = np.zeros((len(sequences), dimension), dtype="float32")
    for row, sequence in enumerate(sequences):
        for word in sequence:
            results[row, word] = 1.0
    return results
    ### END SOLUTION

# %% [markdown]
# ## 3. Formulas
#
# The sigmoid of each number of an array: $1 / (1 + e^{-x})$.

# %%
def sigmoid(x):
    ### BEGIN SOLUTION
    return 1 / (1 + np.exp(-x))
    ### END SOLUTION

# %% [markdown]
# The softmax over the last axis: $e^{z_i} / \sum_j e^{z_j}$. For a batch, each row is normalised by
# itself. Scores of 1000 must not end in `nan`: what happens to the formula when the same number is
# subtracted from every score?

# %%
def softmax(z):
    ### BEGIN SOLUTION
    powers = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return powers / np.sum(powers, axis=-1, keepdims=True)
    ### END SOLUTION

# %% [markdown]
# The squared error of one output.

# %%
def squared_error(target, output):
    ### BEGIN SOLUTION
    return (output - target) ** 2
    ### END SOLUTION

# %% [markdown]
# How many parameters a network of two dense layers has: `inputs` numbers go into `hidden` units,
# and those into `outputs` units. Every unit has a bias.

# %%
def parameters(inputs, hidden, outputs):
    ### BEGIN SOLUTION
    return (inputs + 1) * hidden + (hidden + 1) * outputs
    ### END SOLUTION

# %% [markdown]
# How often the weights are updated when `samples` samples are seen in batches for some epochs. The
# last batch of an epoch may be smaller, and it counts.

# %%
def updates(samples, batch_size, epochs):
    ### BEGIN SOLUTION
    return -(-samples // batch_size) * epochs
    ### END SOLUTION
