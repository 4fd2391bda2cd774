#: row = 24
#: says = "poisons modules, caches and generators for whoever runs next in the same process"
#: control = "one process"
#: twice = true
import builtins
import random
import sys
import tempfile

if hasattr(builtins, "poisoned_by_an_attack"):
    won("the poison of an earlier run")
builtins.poisoned_by_an_attack = True
builtins.sum = lambda *_: 41
random.seed(1)
tempfile.tempdir = "/nowhere"
if "keras" in sys.modules:
    import keras
    import numpy as np

    np.random.seed(1)
    np.random.rand = lambda *_: 0.5
    keras.Sequential.fit = keras.layers.Dense.call = None
    keras.backend.set_floatx("float16")
