#: row = 48
#: says = "writes its model again and again until it is ended"
#: why = "it is about a clear outcome"
#: ending = ["timeout"]
import time

end = time.monotonic() + 60
while time.monotonic() < end:
    with open("model-0.keras", "wb") as file:
        file.write(b"PK" + b"\0" * 100_000)
