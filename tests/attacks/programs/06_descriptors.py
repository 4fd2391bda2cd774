#: row = 6
#: says = "reads every descriptor it was left"
#: control = "harness"
import os
import re

for descriptor in range(3, 4096):
    for read in (os.pread, lambda fd, size, _: os.read(fd, size)):
        try:
            os.set_blocking(descriptor, False)
            text = read(descriptor, 100_000, 0).decode("latin-1")
        except OSError:
            continue
        for found in re.findall(CANARY, text):
            won(found)
