#: row = 19
#: says = "reads address 0"
#: why = "it is about a clear outcome"
#: ending = ["killed"]
import ctypes

ctypes.string_at(0)
