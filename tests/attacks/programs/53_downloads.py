#: row = 53
#: says = "downloads ready-made weights with Keras, and a package with pip"
#: control = "harness"
import subprocess
import sys
import time

import keras

began = time.monotonic()
address = f"http://127.0.0.1:{WORLD['port']}/weights.h5"
try:
    keras.utils.get_file(TOKEN, address)
    won("weights")
except Exception as error:
    print(type(error).__name__, str(error)[:100])
if WORLD["student"]:
    command = [sys.executable, "-m", "pip", "download", "--index-url", address, "nothing-of-that-name"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print("pip", done.returncode)
print("it took", time.monotonic() - began < 8)
