"""What a hostile submission does; should every defence fail, the machine survives it.

Runs instead of a worker; ``grader.sandbox.attack`` looks from outside at what came of it.
"""

# Written the way attackers write; pathlib would only be in the way.
# ruff: noqa: PTH118, PTH123, PTH208, PTH211

import contextlib
import ctypes
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

_MESSAGES = 3
_MIB = 1 << 20
_ENOUGH = 200
"""Times that a bomb goes off: more than any limit it is tried on, and no machine's ruin."""

Task = dict[str, Any]


def main(task: Task) -> None:
    """Do one deed and say what it found.

    Args:
        task: ``deed``, and what the deed needs.
    """
    deeds: dict[str, Callable[[Task], object]] = {
        "read": _read,
        "environment": _environment,
        "write": _write,
        "memory": _memory,
        "signal": _signal,
        "network": _network,
        "outlive": _outlive,
        "fork": _fork,
        "allocate": _allocate,
        "fill": _fill,
        "flood": _flood,
        "hang": _hang,
        "link": _link,
    }
    answer = deeds[task["deed"]](task)
    os.write(_MESSAGES, json.dumps(answer).encode() + b"\n")


def _read(task: Task) -> str:
    """Read a file of the host's, by its path and by every detour."""
    detours = ("", "/proc/self/root", "/proc/1/root", "/proc/self/cwd/../../../../../..")
    found = ""
    for path in [detour + task["canary"] for detour in detours]:
        with contextlib.suppress(OSError), open(path, encoding="utf-8") as file:
            found += file.read(1000)
    return found


def _environment(_: Task) -> str:
    texts = [" ".join(os.environ.values())]
    for process in os.listdir("/proc"):
        for name in ("environ", "cmdline"):
            with contextlib.suppress(OSError), open(f"/proc/{process}/{name}", "rb") as file:
                texts.append(file.read().decode("latin-1"))
    return " ".join(texts)[: 4 * _MIB]


def _write(task: Task) -> None:
    for path in (os.path.join(task["folder"], "written"), task["canary"]):
        with contextlib.suppress(OSError), open(path, "a", encoding="utf-8") as file:
            file.write("written from inside")


class _Piece(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _memory(task: Task) -> str:
    """Read the grader's memory, by file and by system call."""
    size = 64
    here = ctypes.create_string_buffer(size)
    mine = _Piece(ctypes.addressof(here), size)
    theirs = _Piece(task["address"], size)
    libc = ctypes.CDLL(None)
    found = b""
    for process in {task["host"], os.getppid(), 1}:
        libc.process_vm_readv(process, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0)
        found += here.raw
        with contextlib.suppress(OSError), open(f"/proc/{process}/mem", "rb") as file:
            file.seek(task["address"])
            found += file.read(size)
    return found.decode("latin-1")


def _signal(task: Task) -> None:
    with contextlib.suppress(OSError):
        os.kill(task["bystander"], signal.SIGKILL)


def _network(task: Task) -> None:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, kind) as client:
            client.settimeout(1)
            client.connect(("127.0.0.1", task["port"]))
            client.send(b"x")


def _outlive(_: Task) -> None:
    """Leave a process behind, in a session of its own."""
    if not os.fork():
        os.setsid()
        if not os.fork():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(20)
        os._exit(0)
    time.sleep(0.3)  # for the host to see it


def _fork(_: Task) -> None:
    for _attempt in range(_ENOUGH):
        try:
            if not os.fork():
                time.sleep(10)
                os._exit(0)
        except OSError:
            time.sleep(0.01)
    time.sleep(10)


def _allocate(_: Task) -> None:
    kept = [bytearray(b"x" * (8 * _MIB)) for _ in range(_ENOUGH // 2)]
    time.sleep(10 + 0 * len(kept))


def _fill(_: Task) -> None:
    with contextlib.suppress(OSError):
        for number in range(_ENOUGH // 2):
            with open(f"file{number}", "wb") as file:
                file.write(b"x" * _MIB)
    time.sleep(10)


def _flood(_: Task) -> None:
    for _chunk in range(_ENOUGH):
        os.write(1, b"x" * _MIB)


def _hang(_: Task) -> None:
    for number in range(1, signal.NSIG):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        pass


def _link(task: Task) -> None:
    """Hand over a link to a file of the host's where a model is expected."""
    os.symlink(task["canary"], "model.keras")
