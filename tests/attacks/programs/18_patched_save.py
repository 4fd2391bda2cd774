#: row = 18
#: says = "replaces what saves a model, so that it writes something else"
#: why = "there is nothing to win: what lies on the disk is what is judged"
#: earns = ["test_trained"]
import keras
import keras.src.saving.saving_api as api
import keras.src.saving.saving_lib as lib
import numpy as np


def save(model, path, *args, **kwargs):
    with open(path, "wb") as file:
        file.write(b"PK" + b"\0" * 100)


keras.Model.save = keras.saving.save_model = api.save_model = lib.save_model = save
model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(1, activation="sigmoid")])
model.compile("sgd", "binary_crossentropy")
model.fit(np.zeros((8, 16)), np.zeros(8), verbose=0)
