"""A server inside a sandbox: imports the workers once, and forks once for each run.

It never sees a student's byte: the plan of a run is read after the fork, the task in it only behind
locked doors. What it says and hears goes over one socket: ``{"serving": …}`` once, then a message
for each run with open descriptors: the plan, the run's control socket, its message channel and the
one on which something is handed in, its stdout and stderr, and where a warden holds the run, its
lifeline.
"""

# Forked for every run; pathlib would cost more than all the rest.
# ruff: noqa: PTH123, PTH208

import array
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from typing import Any, NoReturn

from . import begin, doors, late, launch, namespaces, warden

PR_SET_DUMPABLE = 4
WITH_LIFELINE = 7
MOST_DESCRIPTORS = 8
IDLE_S = 1.0
"""Seconds without a request after which there is time for what was put off, if no run goes on."""
LATEST = 64
"""After so many requests it is no longer put off: each fork might need it."""


class Server:
    """Has imported everything, and is alone in its process.

    Args:
        workers: The folder of the workers.
        task: ``programs`` (the workers to import), ``late`` (modules that they import and which may
            wait until there is time), ``prepare`` (what their ``prepare`` gets besides ``work`` and
            ``places``).
    """

    def __init__(self, workers: str, task: begin.Task) -> None:
        self._ids = os.getuid(), os.getgid()
        self._runs: dict[str, begin.Run] = {}
        known = {"work": task["work"], "places": task["places"], **task["prepare"]}
        self._late = late.Late(task["late"])
        for name in task["programs"]:
            with self._late.put_off():
                worker = launch.import_worker(workers, name)
            if hasattr(worker, "prepare"):
                worker.prepare(dict(known))
            self._runs[name] = worker.main
        _alone()
        _shares_nothing()

    def serve(self, control: socket.socket) -> tuple[begin.Run, begin.Task]:
        """Fork for each request. Only the forks come back from here, each with what to run."""
        doors.libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        # the kernel buries them: the host watches its runs itself
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        gc.freeze()  # a collection in a fork would copy what it only looks at
        control.send(json.dumps({"serving": sorted(self._runs)}).encode())
        served, waits = 0, True
        while True:
            if waits and (served == LATEST or _has_time(control)):
                waits = False
                if self._late.catch_up():
                    gc.freeze()
            descriptors = _next(control)
            served += 1
            try:
                _alone()
                child = os.fork() if len(descriptors) == WITH_LIFELINE else namespaces.fork()
            except (OSError, RuntimeError) as error:
                with socket.socket(fileno=os.dup(descriptors[1])) as its_control:
                    its_control.send(json.dumps({"error": str(error)}).encode())
                child = -1
            if not child:
                control.close()
                return _begin(self._runs, self._ids, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)


def _alone() -> None:
    """A thread would not be there in a fork, but the locks it holds would."""
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        raise RuntimeError(f"the server has {threads} threads and cannot be forked")


def _shares_nothing() -> None:
    """Memory that a fork could write for all to read would join the runs."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.split(None, 2)[1] in {"rw-s", "rwxs", "-w-s"}:
                raise RuntimeError(f"the server's forks would share memory: {line.strip()}")


def _has_time(control: socket.socket) -> bool:
    """Wait for a request, or for a while without one in which no run wants the processor."""
    while not select.select([control], [], [], IDLE_S)[0]:
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
    return False


def _next(control: socket.socket) -> list[int]:
    rights = array.array("i")
    _, ancillary, _, _ = control.recvmsg(
        16, socket.CMSG_SPACE(MOST_DESCRIPTORS * rights.itemsize), socket.MSG_CMSG_CLOEXEC
    )
    for _, _, data in ancillary:
        rights.frombytes(data)
    if not rights:  # the host is gone, or wants no more
        os._exit(0)
    return rights.tolist()


# ------------------------------------------------------------------ in the fork


def _begin(
    runs: dict[str, begin.Run], ids: tuple[int, int], descriptors: Sequence[int]
) -> tuple[begin.Run, begin.Task]:
    """Put a holder between the server and the run; what comes back is the run."""
    plan, its_control, *channels = descriptors[:4]
    stdout, stderr, *lifeline = descriptors[4:]
    for number, descriptor in enumerate((plan, stdout, stderr)):
        os.dup2(descriptor, number)
    files = open(0, "rb", closefd=False)  # noqa: SIM115 - read on until the doors are locked
    control = socket.socket(fileno=its_control)
    try:
        plan_of_doors = json.loads(files.readline())
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        _introduce(control)
        if lifeline:
            code = warden.stand_between(lifeline[0], plan_of_doors["keep_signals"], its_control)
        else:
            namespaces.enter(*ids)
            code = namespaces.be_first(its_control)
    except BaseException:  # noqa: BLE001 - whatever it was, the host must hear of it
        begin.fail(control)
    if code is not None:
        _tell(control, code)
    control.detach()
    control = socket.socket(fileno=begin.arrange_descriptors(its_control, *channels))
    try:
        _as_if_fresh(plan_of_doors["environment"])
    except BaseException:  # noqa: BLE001 - whatever it was, the host must hear of it
        begin.fail(control)
    return begin.follow(plan_of_doors, files, control, runs)


def _introduce(control: socket.socket) -> None:
    """Let the host find out our process id, and wait until it holds us."""
    control.send(json.dumps({"began": True}).encode())
    if control.recv(16) != b"held":
        os._exit(begin.SETUP_FAILED)


def _tell(control: socket.socket, code: int) -> NoReturn:
    control.send(json.dumps({"ended": code}).encode())
    os._exit(0)


def _as_if_fresh(environment: dict[str, str]) -> None:
    """Forget what an interpreter of this run's own would not know, or would have by chance."""
    doors.libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # honest libraries read /proc/self
    random.seed()
    tempfile.tempdir = None
    vars(tempfile)["_name_sequence"] = None
    if "numpy.random" in sys.modules:
        sys.modules["numpy"].random.seed()
    if "keras" in sys.modules:
        config = importlib.import_module("keras.src.backend.config")
        vars(config)["_KERAS_DIR"] = environment["KERAS_HOME"]
    if "matplotlib" in sys.modules:
        for cached in ("get_configdir", "get_cachedir"):
            _forget_answer(getattr(sys.modules["matplotlib"], cached))


def _forget_answer(function: Any) -> None:
    """Have a function that computes once compute again: matplotlib's folders lie in the home."""
    names = function.__code__.co_freevars
    if "called" in names:
        function.__closure__[names.index("called")].cell_contents = False
