#: row = 34
#: says = "processes that replace each other, in sessions of their own"
#: control = "outlives"
import os
import time

if not os.fork():
    os.setsid()
    end = time.monotonic() + 4
    while time.monotonic() < end:
        with open("model-0.keras", "ab") as file:
            file.write(b"alive")
        try:
            if os.fork():
                os._exit(0)
        except OSError:
            pass
        time.sleep(0.002)
    os._exit(0)
time.sleep(0.2)
