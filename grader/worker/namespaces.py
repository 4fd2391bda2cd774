"""Puts a fork of the server into namespaces of its own, held by a first process that ends them.

Nobody needs privileges for it: a new user namespace comes with all of them, over nothing but the
other new namespaces. They are dropped before any student code runs.
"""

# Forked for every run; pathlib would cost more than all the rest.
# ruff: noqa: PTH123

import ctypes
import fcntl
import os
import signal
import socket
import struct

from . import begin, doors

PR_SET_DUMPABLE = 4
MS_PRIVATE = 1 << 18 | 1 << 14
SIOCSIFFLAGS = 0x8914
IFF_UP_LOOPBACK_RUNNING = 0x49

MOUNT, CGROUP, UTS, IPC, USER, PID, NETWORK = (
    0x00020000,
    0x02000000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)


def fork() -> int:
    """Fork straight into new namespaces, as the first process of theirs.

    ``unshare`` would cost one more copy of a large process. The C library is not told of this fork:
    whoever it makes may do no more than fork once again.
    """
    every = USER | MOUNT | PID | IPC | UTS | NETWORK | CGROUP
    number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    # not through `libc`, which would let go of the interpreter's lock meanwhile
    pid = ctypes.PyDLL(None, use_errno=True).syscall(number, every | signal.SIGCHLD, 0, 0, 0, 0)
    return doors.check(pid, "new namespaces")


def enter(user: int, group: int) -> None:
    """Have an id in the new namespaces, the same as outside, and mounts that nobody else sees."""
    doors.libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # or the maps would not be ours to write
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    doors.check(doors.libc.mount(b"none", b"/", None, MS_PRIVATE, None), "private mounts")


def be_first(*kept: int) -> int | None:
    """Fork the run's first process and be the one whose end is the end of all.

    Args:
        kept: Descriptors to leave open on this side.

    Returns:
        ``None`` in the new process. On this side its exit code, negative for a signal.
    """
    _loopback_up()
    doors.libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    first = os.fork()
    if not first:
        return None
    doors.drop_capabilities()
    begin.close_all_but(kept)
    while True:
        pid, status = os.wait()
        if pid == first:
            return os.waitstatus_to_exitcode(status)


def _loopback_up() -> None:
    with socket.socket() as any_socket:
        request = struct.pack("16sH14x", b"lo", IFF_UP_LOOPBACK_RUNNING)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)
