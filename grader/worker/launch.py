"""The first program inside every sandbox: it locks the doors, then becomes the worker.

Comes in: a plan on stdin, one line of JSON with the files to lay in behind it, written by
``grader.sandbox.plan``. Goes out: one message on the control socket, ``{"ready": …}`` with the
folder of the run as an open file descriptor, or ``{"error": …}``; student code runs only after the
host has answered it, and by then the socket is closed.

Only the standard library is used, and nothing of the host's package: it is not readable here.
"""

# Starts with every run; pathlib would cost more than all the rest.
# ruff: noqa: PTH103, PTH110, PTH112, PTH118, PTH120, PTH123, PTH208

import array
import base64
import contextlib
import ctypes
import fcntl
import importlib
import importlib.machinery
import importlib.util
import json
import os
import resource
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

MESSAGES = 3
"""Where a worker speaks to the host."""
SETUP_FAILED = 125

Plan = dict[str, Any]

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Follow the plan on stdin and call the worker's ``main``."""
    header = sys.stdin.buffer.readline()
    plan: Plan = json.loads(header)
    control = socket.socket(fileno=_arrange_descriptors(plan["control"], plan["messages"]))
    try:
        folders = _set_up(plan)
        facts = _confine(plan)
        run = _worker(plan["workers"], plan["program"])
    except BaseException:  # noqa: BLE001 - whatever it was, the host must hear of it
        control.send(json.dumps({"error": traceback.format_exc()[-8000:]}).encode())
        os._exit(SETUP_FAILED)
    task = plan["task"]
    _report(control, {"ready": facts}, folders)
    del plan, header
    run(task)


def _arrange_descriptors(control: int, messages: int) -> int:
    """Put the message channel on 3, close what else is open, and tell where the socket went."""
    moved = MESSAGES + 1
    # first out of the way, for each may be where the other belongs
    messages, control = (
        fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, moved + 1) for one in (messages, control)
    )
    os.dup2(messages, MESSAGES, inheritable=False)
    os.dup2(control, moved, inheritable=False)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > moved:
            with contextlib.suppress(OSError):  # the listing itself was one of them
                os.close(int(name))
    return moved


def _set_up(plan: Plan) -> list[int]:
    """Set limits, change the user, make the folders, lay the files in; open those to show."""
    for name, value in plan["limits"].items():
        number = getattr(resource, f"RLIMIT_{name}")
        most = resource.getrlimit(number)[1]
        least = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(number, (least, least))
    os.umask(0o022)
    if plan["user"] is not None:
        _become(plan["user"], plan["reach"])
    for folder in plan["folders"]:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    work = plan["task"]["work"]
    for path, size in plan["files"]:
        _lay_in(os.path.join(work, path), size)
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.chdir(work)
    os.environ["PWD"] = work
    return [os.open(folder, os.O_RDONLY | os.O_DIRECTORY) for folder in plan["shown"]]


def _lay_in(path: str, size: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        while size:
            chunk = sys.stdin.buffer.read(min(size, 1 << 20))
            if not chunk:
                raise EOFError(f"{path}: {size} bytes missing")
            file.write(chunk)
            size -= len(chunk)


def _worker(folder: str, program: str) -> Callable[[dict[str, Any]], object]:
    """Import a worker as a module of the package ``grader_worker``, whose folder is on no path."""
    init = os.path.join(folder, "__init__.py")
    if os.path.exists(init):
        spec = importlib.util.spec_from_file_location(
            "grader_worker", init, submodule_search_locations=[folder]
        )
    else:
        spec = importlib.machinery.ModuleSpec("grader_worker", None, is_package=True)
        spec.submodule_search_locations = [folder]
    if spec is None:
        raise ImportError(init)
    package = importlib.util.module_from_spec(spec)
    sys.modules["grader_worker"] = package
    if spec.loader is not None:
        spec.loader.exec_module(package)
    run: Callable[[dict[str, Any]], object] = importlib.import_module(
        f"grader_worker.{program}"
    ).main
    return run


def _report(control: socket.socket, message: Plan, folders: list[int]) -> None:
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


# ------------------------------------------------------------------ the user

CAP_DAC_READ_SEARCH = 2
PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = (
    4,
    8,
    24,
    38,
    47,
)
PR_CAP_AMBIENT_RAISE, PR_CAP_AMBIENT_CLEAR_ALL = 2, 4


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _become(user: int, reach: list[str]) -> None:
    """Give up root for good.

    Where the interpreter lies in a folder closed to others, reading past file modes is kept:
    Landlock says what may be read, and the filter forbids opening files by handle.
    """
    kept = 0 if _reaches(user, reach) else 1 << CAP_DAC_READ_SEARCH
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(64):
        if not kept >> capability & 1 and libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            break
    if kept:
        _check(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities")
    _change_ids(user)
    _set_capabilities(kept)
    if kept:
        _check(
            libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0),
            "ambient capability",
        )
    # a change of user hides /proc/self from oneself, which honest libraries read
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    with open("/proc/self/status", encoding="ascii") as file:
        status = dict(line.split(":", 1) for line in file)
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        if int(status[name], 16) & ~kept:
            raise PermissionError(f"still privileged: {name} {status[name].strip()}")
    if os.getresuid() != (user,) * 3 or os.getresgid() != (user,) * 3 or os.getgroups():
        raise PermissionError("still another user")


def _change_ids(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _reaches(user: int, paths: list[str]) -> bool:
    """Whether that user, without privileges, can read these paths."""
    if not paths:
        return True
    child = os.fork()
    if not child:
        reached = False
        with contextlib.suppress(OSError):
            _change_ids(user)
            reached = all(os.access(path, os.R_OK) for path in paths)
        os._exit(0 if reached else 1)
    return os.waitpid(child, 0)[1] == 0


def _set_capabilities(kept: int) -> None:
    header = struct.pack("=Ii", 0x20080522, 0)
    _check(libc.capset(header, struct.pack("=6I", kept, kept, kept, 0, 0, 0)), "capset")


# ------------------------------------------------------------------ Landlock and seccomp

READ = 1 << 2 | 1 << 3
EXECUTE, WRITE_FILE, TRUNCATE, IOCTL = 1 << 0, 1 << 1, 1 << 14, 1 << 15
FILE_RIGHTS = EXECUTE | WRITE_FILE | 1 << 2 | TRUNCATE | IOCTL
MAKE_DEVICES = 1 << 6 | 1 << 11
RIGHTS_OF_ABI = {1: 13, 2: 14, 3: 15, 4: 15}
NETWORK_ABI, SCOPE_ABI = 4, 6


def _confine(plan: Plan) -> Plan:
    """Lock the doors: no new privileges, Landlock, the filter. Tells what was had."""
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    facts: Plan = {"landlock": 0, "user": os.getuid()}
    if plan["landlock"] is not None:
        facts["landlock"] = _landlock(**plan["landlock"])
    if plan["filter"]:
        _filter(base64.b64decode(plan["filter"]))
    return facts


def _landlock(
    *,
    read: list[str],
    listed: list[str],
    write: list[str],
    devices: list[str],
    network: bool,
    least: int,
) -> int:
    """Allow this and nothing else; gives the ABI, 0 where there is none and none is needed."""
    abi: int = max(0, libc.syscall(444, None, 0, 1))
    if abi < least:
        raise OSError(f"Landlock ABI {abi} here, {least} is needed")
    if not abi:
        return 0
    handled = (1 << RIGHTS_OF_ABI.get(abi, 16)) - 1
    attribute = struct.pack("=Q", handled)
    if abi >= NETWORK_ABI:
        attribute += struct.pack("=Q", 0 if network else 3)
    if abi >= SCOPE_ABI:  # signals and abstract sockets stay inside
        attribute += struct.pack("=Q", 3)
    rules = _check(libc.syscall(444, attribute, len(attribute), 0), "landlock_create_ruleset")
    _allow(rules, read, READ | EXECUTE, handled)
    _allow(rules, listed, 1 << 3, handled)
    _allow(rules, write, ~MAKE_DEVICES, handled)
    _allow(rules, devices, READ | WRITE_FILE | TRUNCATE | IOCTL, handled)
    _check(libc.syscall(446, rules, 0), "landlock_restrict_self")
    os.close(rules)
    return abi


def _allow(rules: int, paths: Iterable[str], rights: int, handled: int) -> None:
    for path in paths:
        try:
            opened = os.open(path, os.O_PATH)
        except (FileNotFoundError, PermissionError):
            continue
        wanted = rights & handled
        if not os.path.isdir(path):
            wanted &= FILE_RIGHTS
        _check(
            libc.syscall(445, rules, 1, struct.pack("=Qi", wanted, opened), 0),
            f"landlock_add_rule {path}",
        )
        os.close(opened)


def _filter(program: bytes) -> None:
    """Install a seccomp filter in all threads."""
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    number = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
    _check(libc.syscall(number, 1, 1, header), "seccomp")


if __name__ == "__main__":
    main()
