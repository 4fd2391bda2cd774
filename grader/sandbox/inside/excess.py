"""Passes a limit on purpose, and waits to be ended for it; see ``grader.sandbox.selftest``."""

# A few system calls, started often; pathlib would cost more than all the rest.
# ruff: noqa: PTH123

import mmap
import os
import signal
import time
from contextlib import suppress
from typing import Any

_WAIT_S = 5.0
_CHUNK = 1 << 20
_MESSAGES = 3


def main(task: dict[str, Any]) -> None:
    """Pass a limit.

    Args:
        task: ``of`` (``"processes"``, ``"disk"`` or ``"memory"``) and ``most`` (how much of it is
            allowed); ``cpu_s`` (processor seconds to hide before, if any).
    """
    _burn(task.get("cpu_s", 0.0))
    {"processes": _fork, "disk": _fill, "memory": _take}[task["of"]](task["most"])
    time.sleep(_WAIT_S)


def _fork(most: int) -> None:
    for _ in range(most + 1):
        with suppress(OSError):
            if not os.fork():
                time.sleep(_WAIT_S)
                os._exit(0)
            os.write(_MESSAGES, b"\n")


def _burn(seconds: float) -> None:
    """Use processor time in a process that nobody waits for and that leaves no trace."""
    if not seconds:
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    end, inside = os.pipe()
    if not os.fork():
        while time.process_time() < seconds:
            pass
        os._exit(0)
    os.close(inside)
    os.read(end, 1)
    os.close(end)


def _take(most: int) -> None:
    # shared memory, of which the kernel knows no limit for one process; twice as much as allowed
    with mmap.mmap(-1, 2 * most) as memory:
        for start in range(0, len(memory), _CHUNK):
            memory[start : start + _CHUNK] = b"x" * _CHUNK
            os.write(_MESSAGES, b"x")
        time.sleep(_WAIT_S)


def _fill(most: int) -> None:
    # in two files: of one, the kernel knows the largest size
    for name in ("first", "second"):
        with suppress(OSError), open(name, "wb", buffering=0) as file:
            file.writelines(bytes(_CHUNK) for _ in range(most // _CHUNK))
