#: row = 19
#: says = "kills itself"
#: why = "it is about a clear outcome"
#: ending = ["killed"]
import os

os.kill(os.getpid(), 9)
