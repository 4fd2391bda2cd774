#: row = 8
#: says = "leaves files wherever it can, and looks for those of an earlier run"
#: control = "two processes"
#: twice = true
import os

for place in ("/tmp", "/dev/shm", "/var/tmp", os.path.expanduser("~"), os.environ.get("TMPDIR", "/tmp"), WORLD["home"]):
    path = os.path.join(place, "attack-left-" + TOKEN)
    if os.path.exists(path):
        won(path)
    try:
        with open(path, "w") as file:
            file.write("left")
    except OSError:
        pass
