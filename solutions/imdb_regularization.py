# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Against over-fitting
#
# The network that tells praise from blame learns its training reviews by heart: after a few epochs
# it gets better on them and worse on all others. Here you try four answers to that, and compare
# them: fewer units, more units (to see the opposite), a penalty on large weights, and dropout.

# %%
import matplotlib.pyplot as plt
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

# %% [markdown]
# ## 1. The data
#
# Multi-hot vectors of the 10,000 commonest words, as before. The first 10,000 training reviews are
# for validation, the other 15,000 for training.

# %%
(train_data, train_labels), (test_data, test_labels) = keras.datasets.imdb.load_data(num_words=10000)


def vectorize_sequences(sequences, dimension=10000):
    results = np.zeros((len(sequences), dimension), dtype="float32")
    for row, sequence in enumerate(sequences):
        results[row, sequence] = 1.0
    return results


x_train = vectorize_sequences(train_data)
y_train = np.asarray(train_labels).astype("float32")

### BEGIN SOLUTION
x_val, partial_x_train = x_train[:10000], x_train[10000:]
y_val, partial_y_train = y_train[:10000], y_train[10000:]
### END SOLUTION

# %% [markdown]
# ## 2. The network that over-fits
#
# Build `original`: two layers of 16 relu units, one sigmoid unit. A function that compiles and
# trains a network in batches of 512, and gives its history, saves you from writing everything five
# times. Train `original` for 20 epochs.

# %%
### BEGIN SOLUTION
def train(network, epochs=20):
    network.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    return network.fit(
        partial_x_train,
        partial_y_train,
        epochs=epochs,
        batch_size=512,
        validation_data=(x_val, y_val),
        verbose=0,
    )


original = keras.Sequential([
    keras.Input(shape=(10000,)),
    layers.Dense(16, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
original_history = train(original)
### END SOLUTION

# %% [markdown]
# ## 3. Fewer units, more units
#
# `smaller` has 4 units in each hidden layer and is trained as long. `larger` has 512 in each; six
# epochs are enough to see what happens.

# %%
### BEGIN SOLUTION
smaller = keras.Sequential([
    keras.Input(shape=(10000,)),
    layers.Dense(4, activation="relu"),
    layers.Dense(4, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
smaller_history = train(smaller)

larger = keras.Sequential([
    keras.Input(shape=(10000,)),
    layers.Dense(512, activation="relu"),
    layers.Dense(512, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
larger_history = train(larger, epochs=6)
### END SOLUTION

# %% [markdown]
# ## 4. A penalty on large weights
#
# `with_l2` is the original with an L2 penalty of 0.001 on the weights of both hidden layers.

# %%
### BEGIN SOLUTION
with_l2 = keras.Sequential([
    keras.Input(shape=(10000,)),
    layers.Dense(16, activation="relu", kernel_regularizer=keras.regularizers.l2(0.001)),
    layers.Dense(16, activation="relu", kernel_regularizer=keras.regularizers.l2(0.001)),
    layers.Dense(1, activation="sigmoid"),
])
l2_history = train(with_l2)
### END SOLUTION

# %% [markdown]
# ## 5. Dropout
#
# `with_dropout` is the original with dropout of 0.5 behind each hidden layer.

# %%
### BEGIN SOLUTION
with_dropout = keras.Sequential([
    keras.Input(shape=(10000,)),
    layers.Dense(16, activation="relu"),
    layers.Dropout(0.5),
    layers.Dense(16, activation="relu"),
    layers.Dropout(0.5),
    layers.Dense(1, activation="sigmoid"),
])
dropout_history = train(with_dropout)
### END SOLUTION

# %% [markdown]
# ## 6. The comparison
#
# Draw the validation loss of all five networks into one figure. Then write down, as `best_epoch`,
# from which epoch on `original` gets worse on reviews it is not trained on: the epoch (counted from
# 1) at which its own validation loss is lowest.

# %%
### BEGIN SOLUTION
for name, history in (
    ("original", original_history),
    ("smaller", smaller_history),
    ("larger", larger_history),
    ("L2", l2_history),
    ("dropout", dropout_history),
):
    losses = history.history["val_loss"]
    plt.plot(range(1, len(losses) + 1), losses, label=name)
plt.xlabel("epoch")
plt.ylabel("validation loss")
plt.legend()
plt.show()

best_epoch = int(np.argmin(original_history.history["val_loss"])) + 1
print(best_epoch)
### END SOLUTION
