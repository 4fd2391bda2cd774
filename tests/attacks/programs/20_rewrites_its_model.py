#: row = 20
#: says = "a thread, an exit handler and a child of its own session rewrite the model afterwards"
#: control = "outlives"
#: earns = ["test_trained", "test_layers"]
import atexit
import os
import threading
import time


def rewrite(seconds=4.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with open("model-0.keras", "ab") as file:
                file.write(b"rewritten")
        except OSError:
            pass
        time.sleep(0.002)


try:
    if WORLD["student"]:
        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(1, activation="sigmoid")])
        model.compile("sgd", "binary_crossentropy")
        model.fit(np.zeros((8, 16)), np.zeros(8), verbose=0)
finally:
    atexit.register(rewrite, 0.1)
    threading.Thread(target=rewrite, daemon=True).start()
    if not os.fork():
        os.setsid()
        if not os.fork():
            rewrite()
        os._exit(0)
