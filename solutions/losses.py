# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The last layer, the loss and the labels
#
# The hidden layers of a network may be almost anything. Its last layer may not: what the task asks
# for decides how many numbers come out, between which bounds, how they are compared with the
# labels, and what form the labels have.

# %%
import numpy as np

# %% [markdown]
# ## 1. Five tasks
#
# Fill in one row for each of these tasks.
#
# - `"reviews"`: is a film review positive or negative? One unit.
# - `"digits"`: which of the ten digits is it?
# - `"topics"`: which of five topics does an article treat? It may treat several, or none.
# - `"prices"`: what does a house cost, in thousands?
# - `"shares"`: which share of a picture is covered by clouds, from 0 to 1?
#
# Each row is a dictionary with
#
# - `"units"`: how many units the last layer has,
# - `"activation"`: its activation, as Keras calls it; `None` if it needs none,
# - `"loss"`: the loss, as Keras calls it, for a network whose last layer has that activation,
# - `"labels"`: the form of one label: `"one-hot"` (a vector with a single 1), `"multi-hot"` (a vector
#   with any number of ones), `"integer"` (the number of the class), or `"number"` (a quantity).

# %%
### BEGIN SOLUTION
last_layers = {
    "reviews": {"units": 1, "activation": "sigmoid", "loss": "binary_crossentropy", "labels": "integer"},
    "digits": {"units": 10, "activation": "softmax", "loss": "categorical_crossentropy", "labels": "one-hot"},
    "topics": {"units": 5, "activation": "sigmoid", "loss": "binary_crossentropy", "labels": "multi-hot"},
    "prices": {"units": 1, "activation": None, "loss": "mse", "labels": "number"},
    "shares": {"units": 1, "activation": "sigmoid", "loss": "mse", "labels": "number"},
}
### END SOLUTION

# %% [markdown]
# For ten classes there are two losses that are the same in all but the form of the labels. Which
# of the two takes integers, and which takes one-hot vectors?

# %%
### BEGIN SOLUTION
same_loss = {
    "integer": "sparse_categorical_crossentropy",
    "one-hot": "categorical_crossentropy",
}
### END SOLUTION

# %% [markdown]
# ## 2. The losses themselves
#
# Write them as functions of the labels and of what the network says. Each gives one number: the mean
# over all samples. The probabilities lie strictly between 0 and 1.
#
# The mean squared error.

# %%
def mean_squared_error(labels, outputs):
    ### BEGIN SOLUTION
    return np.mean((outputs - labels) ** 2)
    ### END SOLUTION

# %% [markdown]
# The binary cross-entropy: for a label of 1 it is $-\ln p$, for a label of 0 it is $-\ln(1 - p)$.

# %%
def binary_crossentropy(labels, probabilities):
    ### BEGIN SOLUTION
    return -np.mean(labels * np.log(probabilities) + (1 - labels) * np.log(1 - probabilities))
    ### END SOLUTION

# %% [markdown]
# The categorical cross-entropy of one-hot labels, shape `(samples, classes)`: of each sample,
# $-\ln p$ of the class that is right.

# %%
def categorical_crossentropy(labels, probabilities):
    ### BEGIN SOLUTION
    return -np.mean(np.sum(labels * np.log(probabilities), axis=-1))
    ### END SOLUTION

# %% [markdown]
# The same for integer labels, shape `(samples,)`.

# %%
def sparse_categorical_crossentropy(labels, probabilities):
    ### BEGIN SOLUTION
    return -np.mean(np.log(probabilities[np.arange(len(labels)), labels]))
    ### END SOLUTION
