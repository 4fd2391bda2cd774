"""What a server's forks are asked to do: find out about their state, and spoil it."""

# Written the way students and attackers write, and one function may need no task.
# ruff: noqa: ARG001, NPY002, PLC0415, PTH108, PTH109, PTH110, PTH118, PTH119, PTH120
# ruff: noqa: PTH123, PTH208, SIM105

import contextlib
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time

import numpy as np

IMPORTED = time.monotonic_ns()
CACHE = {}
READY = {}


def main(task):
    answer = globals()[task["do"]](task)
    os.write(3, json.dumps(answer).encode() + b"\n")


def prepare(task):
    with_data = task["places"].get("data")
    READY.update(word=task.get("word"), at=time.monotonic_ns())
    if with_data:
        with open(os.path.join(with_data, "served.txt")) as file:
            READY["served"] = file.read()


def prepared(task):
    return READY


def places(task):
    return sorted(task["places"])


def marker(task):
    return {
        "imported": IMPORTED,
        "drawn": random.random(),
        "drawn_by_numpy": np.random.rand(),
        "temporary": tempfile.mktemp(),
    }


def state(task):
    """Everything a student could tell a fresh process by, and a fork must not spoil."""
    box = os.path.dirname(task["work"])

    def without_box(text):
        return text.replace(box, "BOX")

    writable = [task["work"], os.environ["HOME"], os.environ["TMPDIR"], "/tmp", "/dev/shm"]
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    return {
        "box": box,
        "temporary_folder": tempfile.gettempdir(),
        "poisoned": [folder for folder in writable if "poison" in listed(folder)],
        "cache": CACHE,
        "sum": sum([1, 2]),
        "environment": {name: without_box(value) for name, value in os.environ.items()},
        "argv": [os.path.basename(each) for each in sys.argv],
        "path": sys.path,
        "cwd": without_box(os.getcwd()),
        "hash": hash("the same"),
        "ours": sorted(name for name in sys.modules if name.startswith("grader")),
        "handlers": [str(signal.getsignal(number)) for number in (2, 13, 15, 17)],
        "blocked": status["SigBlk"],
        "ignored": status["SigIgn"],
        "descriptors": sorted(os.listdir("/proc/self/fd")),
        "threads": status["Threads"],
        "privileges": [status[name] for name in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")],
        "umask": os.umask(0o22),
        "dumpable": os.access("/proc/self/environ", os.R_OK),
        "leader": os.getsid(0) != os.getpid(),
        "terminals": listed("/dev/pts"),
    }


def listed(folder):
    try:
        return os.listdir(folder)
    except OSError:  # not to be seen on this rung
        return []


def poison(task):
    """Spoil all that could be shared."""
    import builtins

    for folder in (task["work"], os.environ["HOME"], *task["shared"]):
        try:
            with open(os.path.join(folder, "poison"), "w") as file:
                file.write("poison")
        except OSError:
            pass
    CACHE["poison"] = True
    builtins.sum = lambda *_: 7
    random.seed(1)
    np.random.seed(1)
    np.random.rand = lambda *_: 0.5
    random.random = lambda: 0.5
    tempfile.tempdir = "/poison"
    os.environ["POISON"] = "poison"
    sys.path.insert(0, "/poison")
    sys.argv[:] = ["poison"]
    sys.modules["json"].dumps.__defaults__ = None
    sys.modules["grader_poison"] = sys
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.umask(0)
    os.write(3, b'"done"')
    os._exit(0)


def sleep(task):
    os.write(3, b" ")
    time.sleep(task.get("seconds", 60))
    return "slept"


def signal_oneself(task):
    """By the C library's own idea of who we are, which a fork must have right."""
    reached = []
    signal.signal(signal.SIGUSR1, lambda *_: reached.append("reached"))
    signal.raise_signal(signal.SIGUSR1)
    return reached[0]


def own_process(task):
    return {"user": os.getuid()}


def rage(task):
    """Signal and trace whatever can be named, and write to every descriptor there is."""
    os.write(3, b" ")
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
        for pid in {1, os.getppid()}:
            try:
                os.kill(pid, number)
            except OSError:
                pass
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 3:
            try:
                os.write(int(name), b'{"ended": 0}')
            except OSError:
                pass
    os.kill(os.getpid(), signal.SIGKILL)


def meet(task):
    """Leave marks wherever a neighbour might look, and look for a neighbour's."""
    mark, wanted = f"grader-mark-{task['name']}", f"grader-mark-{task['other']}"
    box = os.path.dirname(task["work"])
    folders = {"/tmp", "/dev/shm", "/var/tmp", box, os.path.dirname(box)}
    left = [path for folder in folders if (path := leave(os.path.join(folder, mark)))]
    terminals = {"/dev/pts/0", "/dev/pts/1"}
    with contextlib.suppress(OSError):
        _, mine = os.openpty()
        terminals.discard(os.ttyname(mine))  # any other would be a neighbour's
    met = set()
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0" + mark)
        listener.listen()
        met = look_around(folders, terminals, wanted)
    met = met or look_around(folders, terminals, wanted)
    for path in left:
        os.unlink(path)
    return sorted(met)


def leave(path):
    with contextlib.suppress(OSError), open(path, "w") as file:
        file.write("mark")
        return path


def look_around(folders, terminals, wanted):
    child = os.fork()  # a process of ours to be seen and signalled
    if not child:
        time.sleep(1)
        os._exit(0)
    mine = {os.getpid(), os.getppid(), child, 1}
    met = set()
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        met |= {folder for folder in folders if os.path.exists(os.path.join(folder, wanted))}
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect("\0" + wanted)
            met.add("abstract socket")
        for other in {int(name) for name in os.listdir("/proc") if name.isdecimal()} - mine:
            with contextlib.suppress(OSError):
                os.kill(other, 0)
                met.add("process")
        for terminal in terminals:
            with contextlib.suppress(OSError):
                os.close(os.open(terminal, os.O_RDWR | os.O_NOCTTY))
                met.add("terminal")
        time.sleep(0.05)
    os.waitpid(child, 0)
    return met
