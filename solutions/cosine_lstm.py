# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What comes next? Five networks and a cosine
#
# A network is shown the last values of a series and says what the next one will be. The series is a
# cosine, so that you know what is right. Five networks try: three with a layer of long short-term
# memory, one with two of them, and one without any memory.

# %%
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

# %% [markdown]
# ## 1. The series
#
# A thousand values, ten times up and down. They lie between -1 and 1 and need no scaling.

# %%
series = np.cos(np.arange(1000) * 20 * np.pi / 1000).astype("float32")

# %% [markdown]
# Whoever tests a forecast must not have learnt from what came later. Before anything else is done to
# the series, cut it in two in the order of time: `train`, its first 670 values, and `test`, all that
# follow.

# %%
### BEGIN SOLUTION
train, test = series[:670], series[670:]
### END SOLUTION

# %% [markdown]
# ## 2. Windows
#
# Write a function that cuts a series into windows. It gives two arrays: `x`, of shape
# `(samples, width, 1)`, with every run of `width` values in a row, each window beginning one value
# after the one before it; and `y`, of shape `(samples,)`, with the value that comes right after each
# window. Every window that is followed by a value is among them. The grader calls it with series of
# its own.

# %%
def make_windows(series, width):
    ### BEGIN SOLUTION
    samples = len(series) - width
    x = np.array([series[start : start + width] for start in range(samples)])
    y = np.array([series[start + width] for start in range(samples)])
    return x[..., np.newaxis], y
    ### END SOLUTION

# %% [markdown]
# Now the windows of each part by itself: 20 values wide in `x_train`, `y_train`, `x_test`, `y_test`,
# and 40 values wide in `x_train_40`, `y_train_40`, `x_test_40`, `y_test_40`.

# %%
### BEGIN SOLUTION
x_train, y_train = make_windows(train, 20)
x_test, y_test = make_windows(test, 20)
x_train_40, y_train_40 = make_windows(train, 40)
x_test_40, y_test_40 = make_windows(test, 40)
print(x_train.shape, x_test.shape, x_train_40.shape, x_test_40.shape)
### END SOLUTION

# %% [markdown]
# ## 3. Five networks
#
# Each ends in one unit that can give any number, learns with Adam on the mean squared error, and is
# evaluated on its test windows when it is trained.
#
# First `vanilla`: an LSTM layer of 32 units, and the last unit. It sees windows of 20. Batches of 16
# and about 15 epochs will do.

# %%
### BEGIN SOLUTION
vanilla = keras.Sequential([
    keras.Input(shape=(20, 1)),
    layers.LSTM(32),
    layers.Dense(1),
])
vanilla.compile(optimizer="adam", loss="mse")
vanilla.fit(x_train, y_train, batch_size=16, epochs=15, verbose=2)
print("vanilla:", vanilla.evaluate(x_test, y_test, verbose=0))
### END SOLUTION

# %% [markdown]
# Then `stateful`: the same, but its memory is kept from one batch to the next. Keras must know the
# size of a batch for that: windows come one by one, in a batch shape of `(1, 20, 1)`, and in the
# order of time. Where the series begins again, so does the memory: reset the state of the layer
# before each epoch and before the test. Six epochs are enough for a first
# impression.

# %%
### BEGIN SOLUTION
stateful = keras.Sequential([
    keras.Input(batch_shape=(1, 20, 1)),
    layers.LSTM(32, stateful=True),
    layers.Dense(1),
])
stateful.compile(optimizer="adam", loss="mse")
for epoch in range(6):
    stateful.layers[0].reset_state()
    stateful.fit(x_train, y_train, batch_size=1, epochs=1, shuffle=False, verbose=2)
stateful.layers[0].reset_state()
print("stateful:", stateful.evaluate(x_test, y_test, batch_size=1, verbose=0))
### END SOLUTION

# %% [markdown]
# `wider` is `vanilla` again, for windows of 40.

# %%
### BEGIN SOLUTION
wider = keras.Sequential([
    keras.Input(shape=(40, 1)),
    layers.LSTM(32),
    layers.Dense(1),
])
wider.compile(optimizer="adam", loss="mse")
wider.fit(x_train_40, y_train_40, batch_size=16, epochs=10, verbose=2)
print("wider:", wider.evaluate(x_test_40, y_test_40, verbose=0))
### END SOLUTION

# %% [markdown]
# `stacked` has two LSTM layers of 32 units, and windows of 20. The second layer needs what the first
# one says at each step, not only at the last.

# %%
### BEGIN SOLUTION
stacked = keras.Sequential([
    keras.Input(shape=(20, 1)),
    layers.LSTM(32, return_sequences=True),
    layers.LSTM(32),
    layers.Dense(1),
])
stacked.compile(optimizer="adam", loss="mse")
stacked.fit(x_train, y_train, batch_size=16, epochs=10, verbose=2)
print("stacked:", stacked.evaluate(x_test, y_test, verbose=0))
### END SOLUTION

# %% [markdown]
# At last `feed_forward`: it takes the same windows of 20, flattens them, and has three dense layers
# of 32 relu units before the last unit. Does it need a memory?

# %%
### BEGIN SOLUTION
feed_forward = keras.Sequential([
    keras.Input(shape=(20, 1)),
    layers.Flatten(),
    layers.Dense(32, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(1),
])
feed_forward.compile(optimizer="adam", loss="mse")
feed_forward.fit(x_train, y_train, batch_size=16, epochs=20, verbose=2)
print("feed forward:", feed_forward.evaluate(x_test, y_test, verbose=0))
### END SOLUTION
