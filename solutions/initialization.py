# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How weights begin
#
# Training changes weights; something has to be there first. What that is decides whether the signal
# survives ten layers, and whether the gradient finds its way back. Here you draw first weights in
# four ways and measure what becomes of a signal.

# %%
import numpy as np

# %% [markdown]
# ## 1. Four beginnings
#
# Each function gives the weight matrix of a layer with `fan_in` inputs and `fan_out` units, of shape
# `(fan_in, fan_out)`.
#
# All weights zero:

# %%
def zeros(fan_in, fan_out):
    ### BEGIN SOLUTION
    return np.zeros((fan_in, fan_out))
    ### END SOLUTION

# %% [markdown]
# Small random numbers: a standard normal distribution, times 0.001.

# %%
def small(fan_in, fan_out):
    ### BEGIN SOLUTION
    return 0.001 * np.random.randn(fan_in, fan_out)
    ### END SOLUTION

# %% [markdown]
# Xavier, in the simple form that looks at the inputs alone: a unit adds up `fan_in` products, so the
# variance of each weight is `1 / fan_in`.

# %%
def xavier(fan_in, fan_out):
    ### BEGIN SOLUTION
    return np.random.randn(fan_in, fan_out) / np.sqrt(fan_in)
    ### END SOLUTION

# %% [markdown]
# He: a rectifier lets through one half of what comes, so the variance has to be twice as large.

# %%
def he(fan_in, fan_out):
    ### BEGIN SOLUTION
    return np.random.randn(fan_in, fan_out) * np.sqrt(2 / fan_in)
    ### END SOLUTION

# %% [markdown]
# The grader asks for them by name, and so does the rest of this notebook.

# %%
BEGINNINGS = {"zeros": zeros, "small": small, "xavier": xavier, "he": he}

def tanh(x):
    return np.tanh(x)

def relu(x):
    return np.maximum(0, x)

ACTIVATIONS = {"tanh": tanh, "relu": relu}

# %% [markdown]
# ## 2. The signal on its way forward
#
# Send 500 samples of 500 standard normal numbers through ten layers of 500 units each, without biases
# and with the given activation, every layer with weights of its own. Give back a list of ten numbers:
# the standard deviation of all activations of each layer, the first layer first.

# %%
def spreads(beginning, activation):
    ### BEGIN SOLUTION
    make, act = BEGINNINGS[beginning], ACTIVATIONS[activation]
    x = np.random.randn(500, 500)
    found = []
    for layer in range(10):
        x = act(x @ make(500, 500))
        found.append(x.std())
    return found
    ### END SOLUTION

# %%
for beginning, activation in [("small", "tanh"), ("xavier", "tanh"), ("xavier", "relu"), ("he", "relu")]:
    print(beginning, activation, [f"{spread:.2g}" for spread in spreads(beginning, activation)])

# %% [markdown]
# ## 3. The gradient on its way back
#
# Now go back. Start with a gradient of standard normal numbers at the output of the last of the ten
# layers. Through each layer, it is multiplied by the derivative of the activation, and then with the
# transposed weights. Give back a list of ten numbers: the standard deviation of the gradient at the
# input of each layer, the first layer first. (For tanh, the derivative is one minus the square of the
# activation; for relu it is 1 where the activation is positive, and 0 elsewhere.)

# %%
def gradient_spreads(beginning, activation):
    ### BEGIN SOLUTION
    make, act = BEGINNINGS[beginning], ACTIVATIONS[activation]
    x = np.random.randn(500, 500)
    weights, outputs = [], []
    for layer in range(10):
        weights.append(make(500, 500))
        x = act(x @ weights[-1])
        outputs.append(x)
    gradient = np.random.randn(500, 500)
    found = []
    for w, out in zip(reversed(weights), reversed(outputs)):
        derivative = 1 - out**2 if activation == "tanh" else (out > 0)
        gradient = (gradient * derivative) @ w.T
        found.append(gradient.std())
    return found[::-1]
    ### END SOLUTION

# %% [markdown]
# ## 4. What follows
#
# Answer with `"zeros"`, `"small"`, `"xavier"` or `"he"`.
#
# - `"same"`: with which beginning do all units of a layer stay the same for ever, however long the
#   network is trained?
# - `"vanishes"`: with which random beginning is hardly anything left of the signal after ten layers
#   of tanh?
# - `"tanh"`: which one would you choose for a deep network with tanh?
# - `"relu"`: and which one for a deep network with relu?

# %%
### BEGIN SOLUTION
answers = {"same": "zeros", "vanishes": "small", "tanh": "xavier", "relu": "he"}
### END SOLUTION
