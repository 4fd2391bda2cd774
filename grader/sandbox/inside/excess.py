"""Passes a limit on purpose, and waits to be ended for it; see ``grader.sandbox.selftest``."""

# A few system calls, started often; pathlib would cost more than all the rest.
# ruff: noqa: PTH123

import os
import time
from contextlib import suppress
from typing import Any

_WAIT_S = 5.0
_CHUNK = 1 << 20


def main(task: dict[str, Any]) -> None:
    """Pass a limit.

    Args:
        task: ``of`` (``"processes"`` or ``"disk"``) and ``most`` (how much of it is allowed).
    """
    {"processes": _fork, "disk": _fill}[task["of"]](task["most"])
    time.sleep(_WAIT_S)


def _fork(most: int) -> None:
    for _ in range(most + 1):
        with suppress(OSError):
            if not os.fork():
                time.sleep(_WAIT_S)
                os._exit(0)


def _fill(most: int) -> None:
    # in two files: of one, the kernel knows the largest size
    for name in ("first", "second"):
        with suppress(OSError), open(name, "wb", buffering=0) as file:
            file.writelines(bytes(_CHUNK) for _ in range(most // _CHUNK))
