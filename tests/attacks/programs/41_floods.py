#: row = 41
#: says = "prints 60 MB without a line's end, with bytes that are no text"
#: why = "it is about a clear outcome"
#: ending = ["output"]
import os

chunk = b"\xff\x00\x1b[31m flood " * 4096
for _ in range(1000):
    os.write(1, chunk)
