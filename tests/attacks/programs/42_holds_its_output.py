#: row = 42
#: says = "a child keeps the output open after the work has ended"
#: control = "holds"
import os
import time

if not os.fork():
    os.setsid()
    time.sleep(5)
    os._exit(0)
