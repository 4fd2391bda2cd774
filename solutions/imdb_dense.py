# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A dense network for film reviews
#
# The IMDb data set holds 50,000 film reviews, each either praise or blame. A review comes as a list
# of word numbers. You turn it into a vector with a place for each of the 10,000 commonest words, and
# a small network learns to tell the two opinions apart.

# %%
import matplotlib.pyplot as plt
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

# %% [markdown]
# ## 1. The data

# %%
(train_data, train_labels), (test_data, test_labels) = keras.datasets.imdb.load_data(num_words=10000)
print(len(train_data), len(test_data), max(max(review) for review in train_data))

# %% [markdown]
# Write a function `vectorize_sequences(sequences, dimension=10000)` that gives a matrix with a row
# for each review: 1 at the place of each word that occurs in it, 0 elsewhere. `float32` saves memory.
# Make `x_train`, `x_test`, and the labels `y_train`, `y_test` as `float32`.

# %%
### BEGIN SOLUTION
def vectorize_sequences(sequences, dimension=10000):
    results = np.zeros((len(sequences), dimension), dtype="float32")
    for row, sequence in enumerate(sequences):
        results[row, sequence] = 1.0
    return results


x_train = vectorize_sequences(train_data)
x_test = vectorize_sequences(test_data)
y_train = np.asarray(train_labels).astype("float32")
y_test = np.asarray(test_labels).astype("float32")
### END SOLUTION

# %% [markdown]
# ## 2. The network
#
# Build a network called `model`: two layers of 16 relu units, then one sigmoid unit.

# %%
### BEGIN SOLUTION
model = keras.Sequential([
    keras.Input(shape=(10000,)),
    layers.Dense(16, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
model.summary()
### END SOLUTION

# %% [markdown]
# ## 3. Training
#
# Train in batches of 512. Beyond a few epochs the network learns its training reviews by heart: four
# epochs are about right.

# %%
### BEGIN SOLUTION
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=4, batch_size=512, verbose=2)
### END SOLUTION

# %% [markdown]
# ## 4. How good is it?

# %%
### BEGIN SOLUTION
plt.plot(range(1, 5), history.history["loss"], label="training")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.show()

test_loss, test_accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy: {test_accuracy:.4f}")
### END SOLUTION
