"""Stands between the host and a run that has no pid namespace, and ends the whole tree.

The standard library only; nothing from a student is ever read here. Orphans of the run become its
children, so none escapes by forking twice. It ends the tree when the first process ends, and when
the host closes its end of the lifeline or dies.

As a program, ``warden.py LIFELINE KEEP -- COMMAND…``, it starts a command; its status is that of
the first process, 128 + n for signal n. A server's forks use :func:`stand_between` instead.

Unless ``KEEP`` is ``never``, it first puts itself and the run into a Landlock domain that no signal
leaves. A single ``kill(-1)``, which the kernel carries out while nobody can fork, then ends exactly
the run. Where this cannot be had and ``KEEP`` is ``always``, nothing is started.
"""

# Starts with every run; pathlib would cost more than all the rest.
# ruff: noqa: PTH123, PTH208

import ctypes
import os
import select
import signal
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 4, 36, 38
SCOPE_SIGNALS = 2
SCOPE_ABI = 6
PATIENCE_S = 30.0
TICK_MS = 200
FAILED = 125
ERROR = 2

libc = ctypes.CDLL(None, use_errno=True)


def main() -> int:
    """Start the command and give back its status once nothing of it is left."""
    lifeline, keep, command = int(sys.argv[1]), sys.argv[2], sys.argv[4:]
    try:
        code = stand_between(lifeline, keep)
    except PermissionError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    if code is not None:
        return code if code >= 0 else 128 - code
    os.close(lifeline)
    try:
        os.execv(command[0], command)  # noqa: S606 - what the host wants run
    except OSError as error:
        os.write(ERROR, f"{command[0]}: {error}\n".encode())
    os._exit(FAILED)


def stand_between(lifeline: int, keep: str, *kept: int) -> int | None:
    """Fork the run's first process, and outlive everything that comes of it.

    Args:
        lifeline: Readable or at its end when the host wants the run ended.
        keep: Whether signals are to be kept inside: ``always``, ``if possible`` or ``never``.
        kept: Descriptors to leave open on this side.

    Returns:
        ``None`` in the new process. On this side its exit code, negative for a signal, once nothing
        of the run is left.

    Raises:
        PermissionError: Signals must be kept inside and cannot be.
    """
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    wake, woken = os.pipe()
    for end in (wake, woken):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    inside = keep != "never" and _stay_inside()
    if keep == "always" and not inside:
        raise PermissionError("Landlock keeps no signals inside on this kernel")
    first = os.fork()
    if not first:
        signal.set_wakeup_fd(-1)
        for end in (wake, woken):
            os.close(end)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for defaulted in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
            signal.signal(defaulted, signal.SIG_DFL)
        return None
    _let_go({lifeline, wake, woken, *kept})
    status = _wait(first, lifeline, wake)
    return _end(first, status, inside=inside)


def _let_go(kept: set[int]) -> None:
    """Close what is the run's alone."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > ERROR and int(name) not in kept:
            with suppress(OSError):
                os.close(int(name))
    with open(os.devnull, "r+b", buffering=0) as nothing:
        for stream in range(ERROR + 1):
            os.dup2(nothing.fileno(), stream)


def _wait(first: int, lifeline: int, wake: int) -> int | None:
    """Wait for the first process or the host's end; ``None`` when it was the host."""
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(wake, select.POLLIN)
    while True:
        for pid, status in _reap():
            if pid == first:
                return status
        for descriptor, _ in poll.poll(TICK_MS):
            if descriptor == lifeline:
                return None
            with suppress(BlockingIOError):
                os.read(wake, 4096)


def _reap() -> Iterator[tuple[int, int]]:
    """Take the statuses of all dead children."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            yield pid, status


def _end(first: int, status: int | None, *, inside: bool) -> int:
    """Kill until nobody is left, and give the exit code of the first."""
    deadline = time.monotonic() + PATIENCE_S
    while _alive():
        if time.monotonic() > deadline:
            return FAILED
        if inside:
            with suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
        tree = _descendants()
        for number in (signal.SIGSTOP, signal.SIGKILL):  # who is stopped does not fork meanwhile
            for pid in tree:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        time.sleep(0.002)
        for pid, its_status in _reap():
            if pid == first:
                status = its_status
    return FAILED if status is None else os.waitstatus_to_exitcode(status)


def _alive() -> bool:
    """Whether there is a child, dead but not waited for included."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _descendants() -> list[int]:
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError, ValueError), open(f"/proc/{name}/stat", "rb") as file:
                line = file.read()
                parent = int(line[line.rindex(b")") + 2 :].split()[1])
                children.setdefault(parent, []).append(int(name))
    found: list[int] = []
    todo = [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _stay_inside() -> bool:
    """Enter a Landlock domain that no signal leaves; proven by trying, not by version."""
    outside = os.getppid()  # who started us may be signalled by us until then
    try:
        os.kill(outside, 0)
    except PermissionError:
        return False
    if not _enter_domain():
        return False
    try:
        os.kill(outside, 0)
    except PermissionError:
        return True
    return False


def _enter_domain() -> bool:
    if libc.syscall(444, None, 0, 1) < SCOPE_ABI:
        return False
    attribute = struct.pack("=QQQ", 0, 0, SCOPE_SIGNALS)
    rules = libc.syscall(444, attribute, len(attribute), 0)
    if rules < 0 or libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    entered: bool = libc.syscall(446, rules, 0) == 0
    os.close(rules)
    return entered


if __name__ == "__main__":
    sys.exit(main())
