"""What happens in a sandbox before a worker runs: the doors are locked, the host is asked.

Comes in: a plan on stdin, written by ``grader.sandbox.plan``: a line of JSON with the doors, one
with the task, and the files to lay in. Goes out: one message on the control socket,
``{"ready": …}`` with the folder of the run as an open file descriptor, or ``{"error": …}``; student
code runs only after the host has answered it, and by then the socket is closed.

Where the plan says so it becomes a server instead, whose forks follow plans of their own with the
same functions; see ``zygote.py``.
"""

# Starts with every run; pathlib would cost more than all the rest.
# ruff: noqa: PTH103, PTH118, PTH120, PTH123, PTH208

import array
import contextlib
import fcntl
import importlib
import json
import os
import resource
import socket
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO, NoReturn

from . import doors, launch

CHANNELS = 3
"""Where a worker's channels begin: it speaks to the host on 3, and is handed something on 4."""
SETUP_FAILED = 125
OOM_FIRST = "500"
"""Of 1000: more than what anybody's own programs are set to."""

Task = dict[str, Any]
Run = Callable[[Task], object]


def main() -> None:
    """Follow the plan on stdin and call the worker's ``main``."""
    files = sys.stdin.buffer
    plan: doors.Plan = json.loads(files.readline())
    control = socket.socket(fileno=arrange_descriptors(*plan["descriptors"]))
    start = _serve if plan["serves"] else follow
    run, task = start(plan, files, control)
    del plan
    _vanish()
    run(task)
    # What is left to do is to tear down: of a fork, that would first copy what it throws away.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # the worker may have replaced or closed it
            stream.flush()
    os._exit(0)


def follow(
    plan: doors.Plan, files: BinaryIO, control: socket.socket, runs: Mapping[str, Run] | None = None
) -> tuple[Run, Task]:
    """Lock the doors, tell the host, and wait for its word.

    Args:
        plan: The doors.
        files: The rest of the plan: the task, and the files to lay in.
        control: The socket to the host; closed here.
        runs: Workers that are imported already, by name.

    Returns:
        What to run, and on what. Student code is first looked at behind locked doors.
    """
    try:
        task = files.readline()
        folders = _set_up(plan, files)
        facts = doors.confine(plan)
        program = plan["program"]
        run = launch.import_worker(plan["workers"], program).main if runs is None else runs[program]
        what = json.loads(task)
    except BaseException:  # noqa: BLE001 - whatever it was, the host must hear of it
        fail(control)
    _report(control, {"ready": facts}, folders)
    return run, what


def fail(control: socket.socket) -> NoReturn:
    """Tell the host of the exception being handled, and end."""
    control.send(json.dumps({"error": traceback.format_exc()[-8000:]}).encode())
    os._exit(SETUP_FAILED)


def _serve(plan: doors.Plan, files: BinaryIO, control: socket.socket) -> tuple[Run, Task]:
    """Become the server; only its forks come back from here."""
    try:
        task = json.loads(files.readline())
        for folder in _set_up(plan, files):
            os.close(folder)
        doors.confine(plan)
        zygote = importlib.import_module(f"{__package__}.zygote")
        server = zygote.Server(plan["workers"], task)
    except BaseException:  # noqa: BLE001 - whatever it was, the host must hear of it
        fail(control)
    begun: tuple[Run, Task] = server.serve(control)
    return begun


def arrange_descriptors(control: int, *channels: int) -> int:
    """Put the channels on 3 and above, the socket behind them, and close what else is open.

    Returns:
        Where the socket went.
    """
    last = CHANNELS + len(channels)
    # first out of the way, for each may be where another belongs
    moved = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, last + 1) for each in (*channels, control)]
    for place, descriptor in enumerate(moved, start=CHANNELS):
        os.dup2(descriptor, place, inheritable=False)
    close_all_but(range(last + 1))
    return last


def _vanish() -> None:
    """Leave nothing of ours to be found by its name but the worker."""
    ours = __name__.partition(".")[0]
    for name in [name for name in sys.modules if name.partition(".")[0] == ours]:
        del sys.modules[name]
    main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = sys.modules["builtins"]
    sys.modules["__main__"] = main


def close_all_but(descriptors: Iterable[int]) -> None:
    """Close every descriptor that is not named."""
    kept = set(descriptors)
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):  # the listing itself was one of them
                os.close(int(name))


def _set_up(plan: doors.Plan, files: BinaryIO) -> list[int]:
    """Set limits, change the user, make the folders, lay the files in; open those to show."""
    for name, value in plan["limits"].items():
        number = getattr(resource, f"RLIMIT_{name}")
        most = resource.getrlimit(number)[1]
        least = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(number, (least, least))
    if not plan["serves"]:
        # when the machine's memory runs out, the kernel shall end a run and not what grades it
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write(OOM_FIRST)
    os.umask(0o022)
    doors.mount(plan["mounts"], plan["kept"])
    if plan["user"] is not None:
        doors.become(plan["user"], plan["reach"], past_modes=plan["past_modes"])
    elif not plan["serves"]:
        doors.drop_capabilities()
    for folder in plan["folders"]:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    work = plan["work"]
    for path, size in plan["files"]:
        _lay_in(files, os.path.join(work, path), size)
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.chdir(work)
    os.environ.clear()
    os.environ.update(plan["environment"], PWD=work)
    return [os.open(folder, os.O_RDONLY | os.O_DIRECTORY) for folder in plan["shown"]]


def _lay_in(files: BinaryIO, path: str, size: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        while size:
            chunk = files.read(min(size, 1 << 20))
            if not chunk:
                raise EOFError(f"{path}: {size} bytes missing")
            file.write(chunk)
            size -= len(chunk)


def _report(control: socket.socket, message: doors.Plan, folders: list[int]) -> None:
    """Tell the host that all doors are locked, hand over the folders, and wait for its word."""
    rights = array.array("i", folders).tobytes()
    control.sendmsg(
        [json.dumps(message).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]
    )
    for folder in folders:
        os.close(folder)
    word = control.recv(16)
    control.close()
    if word != b"go":  # the host is gone: nobody would read what student code says
        os._exit(SETUP_FAILED)
