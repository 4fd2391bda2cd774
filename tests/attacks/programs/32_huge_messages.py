#: row = 32
#: says = "says 20 MB in one line, nests a message 100,000 deep, says keys twice and numbers that are none"
#: why = "it is about a clear outcome"
import os

os.write(1, b"before\n")
chunk = b"x" * 65536
for _ in range(320):
    os.write(3, chunk)
os.write(3, b"\n" + b'{"event":"values","values":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}\n")
os.write(3, b'{"event":"cell","event":"done","event":"cell","number":1e400}\n')
os.write(3, b'{"event":"epoch","epoch":NaN,"logs":{"acc":Infinity}}\n')
os.write(3, b'{"event":"cell_started","number":' + b"9" * 5000 + b"}\n")
os.write(3, b"\xff\xfe\x00\n\n\n[]\nnull\n")
