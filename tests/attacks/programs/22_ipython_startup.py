#: row = 22
#: says = "leaves a start-up file for IPython"
#: control = "two IPythons"
#: twice = true
import builtins
import os

if hasattr(builtins, "started_by_an_attack"):
    won("the start-up file was run")
for folder in (os.environ.get("IPYTHONDIR", ""), os.path.expanduser("~/.ipython")):
    try:
        os.makedirs(os.path.join(folder, "profile_default", "startup"), exist_ok=True)
        with open(os.path.join(folder, "profile_default", "startup", "00.py"), "w") as file:
            file.write("import builtins; builtins.started_by_an_attack = True\n")
    except OSError:
        pass
