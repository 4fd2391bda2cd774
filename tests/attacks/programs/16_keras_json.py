#: row = 16
#: says = "leaves a keras.json with float16 for whoever imports Keras next"
#: control = "two processes"
#: twice = true
import json
import os

import keras

if keras.config.floatx() == "float16":
    won("numbers of two bytes")
for folder in (os.environ.get("KERAS_HOME", ""), os.path.expanduser("~/.keras")):
    try:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "keras.json"), "w") as file:
            json.dump({"floatx": "float16", "epsilon": 1e-3, "backend": "tensorflow"}, file)
    except OSError:
        pass
