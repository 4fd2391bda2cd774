#: row = 19
#: says = "ends its process with status 0 before anything was graded"
#: control = "exit status"
#: ending = ["exited"]
import os

os._exit(0)
