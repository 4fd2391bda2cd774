# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Exclusive or
#
# The exclusive or of two bits is 1 when they differ and 0 when they are the same. A single unit
# cannot compute it. A network with two hidden units can, and it is small enough that you can count
# everything in it: parameters, updates, errors.

# %%
import matplotlib.pyplot as plt
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

# %% [markdown]
# ## 1. The data
#
# Make `X`, with a row for each pair of bits, and `y`, with what the network ought to say to it. Both
# have two axes, as the output of the network will have: samples first.

# %%
### BEGIN SOLUTION
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
y = np.array([[0], [1], [1], [0]], dtype="float32")
### END SOLUTION

# %% [markdown]
# ## 2. The network
#
# Build a network called `model`: two hidden units and one output unit, all with tanh.

# %%
### BEGIN SOLUTION
model = keras.Sequential([
    keras.Input(shape=(2,)),
    layers.Dense(2, activation="tanh"),
    layers.Dense(1, activation="tanh"),
])
model.summary()
### END SOLUTION

# %% [markdown]
# ## 3. Training
#
# Train it by stochastic gradient descent with a learning rate of 0.1 on the mean squared error. The
# weights change after every single sample, and every sample is seen 200 times.

# %%
### BEGIN SOLUTION
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1),
    loss="mean_squared_error",
    metrics=["binary_accuracy"],
)
history = model.fit(X, y, batch_size=1, epochs=200, verbose=0)
plt.plot(history.history["loss"])
plt.xlabel("epoch")
plt.ylabel("mean squared error")
plt.show()
### END SOLUTION

# %% [markdown]
# What does it say to the four pairs? With only two hidden units, training can end in a valley from
# which it does not get out: that depends on the weights it begins with, and is no mistake of yours.
# Nothing is subtracted for it. Whoever is curious runs the notebook again from the top, a few times.

# %%
### BEGIN SOLUTION
print(np.round(model.predict(X, verbose=0), 2))
### END SOLUTION

# %% [markdown]
# ## 4. Two questions
#
# Answer with a dictionary called `answers`:
#
# - `squared_error`: the network is shown (0, 1) and says 0.4. How large is the squared error of this
#   one sample?
# - `updates`: how often did the training above change the weights?

# %%
### BEGIN SOLUTION
answers = {"squared_error": (0.4 - 1.0) ** 2, "updates": 4 // 1 * 200}
### END SOLUTION
