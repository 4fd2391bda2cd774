"""Tries from inside what a sandbox promises to refuse, and says what was refused.

Runs instead of a worker, before any student code; see ``grader.sandbox.selftest``.
"""

# A few system calls, started often; pathlib would cost more than all the rest.
# ruff: noqa: PTH118, PTH123, PTH207, PTH208

import ctypes
import glob
import json
import os
import socket
from collections.abc import Callable
from typing import Any

from . import excess

_CLONE_NEWUSER = 0x10000000
_AF_VSOCK = 40
_MESSAGES = 3
_LANDLOCK_CREATE, _LANDLOCK_VERSION = 444, 1
_IO_URING_SETUP = 425
_KEYCTL = {"x86_64": 250, "aarch64": 219}
_SESSION_KEYRING = -3


def main(task: dict[str, Any]) -> None:
    """Try everything once, tell, and pass a limit.

    Args:
        task: ``canary`` (a file of the host's), ``token`` (its contents, also in the host's
            environment), ``folder`` (of the host's), ``port`` (the host listens there),
            ``socket`` (and there), ``host`` (its process id), ``excused`` (capabilities that the
            rung may leave), ``processes`` (how many are allowed), ``groups`` (folders below which
            its control group is, if it has one).
    """
    attempts: dict[str, Callable[[dict[str, Any]], bool]] = {
        "read a file": _reads,
        "write a file": _writes,
        "find a secret in an environment": _finds_secret,
        "reach the network": _connects,
        "reach a socket in the file system": _connects_to_path,
        "signal another process": _signals,
        "open another process's memory": _opens_memory,
        "open a socket to the machine below": _opens_vsock,
        "use a keyring": _uses_keyring,
        "set up an io_uring": _sets_up_ring,
        "make a namespace": _makes_namespace,
        "gain privileges": _is_privileged,
    }
    if "groups" in task:
        attempts["leave its control group"] = _leaves_group
    refused = {name: not attempt(task) for name, attempt in attempts.items()}
    libc = ctypes.CDLL(None)
    landlock = libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION)
    os.write(_MESSAGES, json.dumps({"refused": refused, "landlock": max(0, landlock)}).encode())
    excess.main({"of": "processes", "most": task["processes"]})


def _reads(task: dict[str, Any]) -> bool:
    try:
        with open(task["canary"], encoding="utf-8") as file:
            return bool(file.read(1))
    except OSError:
        return False


def _writes(task: dict[str, Any]) -> bool:
    try:
        with open(os.path.join(task["folder"], "written"), "x", encoding="utf-8"):
            return True
    except OSError:
        return False


def _finds_secret(task: dict[str, Any]) -> bool:
    token = task["token"].encode()
    if any(token in value for value in os.environb.values()):
        return True
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        for kind in ("environ", "cmdline"):
            try:
                with open(f"/proc/{name}/{kind}", "rb") as file:
                    if token in file.read():
                        return True
            except OSError:
                continue
    return False


def _connects(task: dict[str, Any]) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            with socket.socket(socket.AF_INET, kind) as client:
                client.settimeout(1)
                client.connect(("127.0.0.1", task["port"]))
                client.send(b"x")
                if kind == socket.SOCK_STREAM or client.recv(1):
                    return True
        except OSError:
            continue
    return False


def _connects_to_path(task: dict[str, Any]) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(task["socket"])
            return True
    except OSError:
        return False


def _signals(task: dict[str, Any]) -> bool:
    for process in (task["host"], os.getppid()):
        if process > 1:  # in a namespace of its own, 1 is not the host's 1
            try:
                os.kill(process, 0)
            except OSError:
                continue
            return True
    return False


def _opens_memory(task: dict[str, Any]) -> bool:
    for process in (task["host"], os.getppid()):
        if process > 1:
            try:
                with open(f"/proc/{process}/mem", "rb"):
                    return True
            except OSError:
                continue
    return False


def _uses_keyring(_: dict[str, Any]) -> bool:
    number = _KEYCTL[os.uname().machine]
    return bool(ctypes.CDLL(None).syscall(number, 0, _SESSION_KEYRING, 1) >= 0)


def _sets_up_ring(_: dict[str, Any]) -> bool:
    ring = ctypes.CDLL(None).syscall(_IO_URING_SETUP, 1, ctypes.create_string_buffer(120))
    if ring < 0:
        return False
    os.close(ring)
    return True


def _opens_vsock(_: dict[str, Any]) -> bool:
    try:
        socket.socket(_AF_VSOCK, socket.SOCK_STREAM).close()
    except OSError:
        return False
    return True


def _makes_namespace(_: dict[str, Any]) -> bool:
    child = os.fork()
    if not child:
        os._exit(1 if ctypes.CDLL(None).unshare(_CLONE_NEWUSER) else 0)
    return os.waitpid(child, 0)[1] == 0


def _leaves_group(task: dict[str, Any]) -> bool:
    for parent in task["groups"]:
        for folder in (parent, *glob.glob(f"{parent}/grader-run-*")):
            for name in ("cgroup.procs", "memory.max", "memory.limit_in_bytes", "pids.max"):
                try:
                    os.close(os.open(f"{folder}/{name}", os.O_WRONLY))
                except OSError:
                    continue
                return True
    return False


def _is_privileged(task: dict[str, Any]) -> bool:
    with open("/proc/self/status", encoding="ascii") as file:
        status = dict(line.split(":", 1) for line in file)
    return (
        bool(int(status["CapEff"], 16) & ~task["excused"])
        or status["NoNewPrivs"].strip() != "1"
        or status["Seccomp"].strip() == "0"
    )
