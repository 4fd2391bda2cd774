"""The first program inside every sandbox: it locks the doors, then becomes the worker.

Comes in: a plan on stdin, written by ``grader.sandbox.plan``: a line of JSON with the doors, one
with the task, and the files to lay in. Goes out: one message on the control socket,
``{"ready": …}`` with the folder of the run as an open file descriptor, or ``{"error": …}``; student
code runs only after the host has answered it, and by then the socket is closed.

Where the plan says so it becomes a server instead, whose forks follow plans of their own with the
same functions; see ``zygote.py``.

Only the standard library is used, and nothing of the host's package: it is not readable here.
"""

# Starts with every run; pathlib would cost more than all the rest.
# ruff: noqa: PTH100, PTH102, PTH103, PTH110, PTH112, PTH114, PTH115, PTH118, PTH120, PTH123
# ruff: noqa: PTH208, PTH211

import array
import base64
import contextlib
import ctypes
import fcntl
import gc
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
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO, NoReturn

CHANNELS = 3
"""Where a worker's channels begin: it speaks to the host on 3, and is handed something on 4."""
SETUP_FAILED = 125
OOM_FIRST = "500"
"""Of 1000: more than what anybody's own programs are set to."""

Plan = dict[str, Any]
Task = dict[str, Any]
Run = Callable[[Task], object]

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Follow the plan on stdin and call the worker's ``main``."""
    files = sys.stdin.buffer
    plan: Plan = json.loads(files.readline())
    control = socket.socket(fileno=arrange_descriptors(*plan["descriptors"]))
    begin = _serve if plan["serves"] else follow
    run, task = begin(plan, files, control)
    del plan
    run(task)
    # What is left to do is to tear down: of a fork, that would first copy what it throws away.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # the worker may have replaced or closed it
            stream.flush()
    os._exit(0)


def follow(
    plan: Plan, files: BinaryIO, control: socket.socket, runs: Mapping[str, Run] | None = None
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
        facts = _confine(plan)
        program = plan["program"]
        run = import_worker(plan["workers"], program).main if runs is None else runs[program]
        what = json.loads(task)
    except BaseException:  # noqa: BLE001 - whatever it was, the host must hear of it
        fail(control)
    _report(control, {"ready": facts}, folders)
    return run, what


def fail(control: socket.socket) -> NoReturn:
    """Tell the host of the exception being handled, and end."""
    control.send(json.dumps({"error": traceback.format_exc()[-8000:]}).encode())
    os._exit(SETUP_FAILED)


def _serve(plan: Plan, files: BinaryIO, control: socket.socket) -> tuple[Run, Task]:
    """Become the server; only its forks come back from here."""
    try:
        task = json.loads(files.readline())
        for folder in _set_up(plan, files):
            os.close(folder)
        _confine(plan)
        # a package only in name: its modules lie beside this one
        _package("grader_first", os.path.dirname(os.path.abspath(__file__)), has_init=False)
        zygote = importlib.import_module("grader_first.zygote")
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


def close_all_but(descriptors: Iterable[int]) -> None:
    """Close every descriptor that is not named."""
    kept = set(descriptors)
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):  # the listing itself was one of them
                os.close(int(name))


def _set_up(plan: Plan, files: BinaryIO) -> list[int]:
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
    _mount(plan["mounts"], plan["kept"])
    if plan["user"] is not None:
        _become(plan["user"], plan["reach"], past_modes=plan["past_modes"])
    elif not plan["serves"]:
        drop_capabilities(0)
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


def import_worker(folder: str, program: str) -> Any:
    """Import a worker as a module of the package ``grader_worker``, whose folder is on no path."""
    if "grader_worker" not in sys.modules:
        has_init = os.path.exists(os.path.join(folder, "__init__.py"))
        _package("grader_worker", folder, has_init=has_init)
    # Of what is imported nothing becomes garbage, and looking for some takes a fifth of the time.
    gc.disable()
    try:
        return importlib.import_module(f"grader_worker.{program}")
    finally:
        gc.freeze()
        gc.enable()


def _package(name: str, folder: str, *, has_init: bool) -> None:
    if has_init:
        spec = importlib.util.spec_from_file_location(
            name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
        )
    else:
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [folder]
    if spec is None:
        raise ImportError(folder)
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    if spec.loader is not None:
        spec.loader.exec_module(package)


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


def check(result: int, what: str) -> int:
    """Give the result of a call to libc, or raise what went wrong."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _become(user: int, reach: list[str], *, past_modes: bool) -> None:
    """Give up root for good.

    Where the interpreter lies in a folder closed to others, reading past file modes is kept, if it
    may be: Landlock says what may be read, and the filter forbids opening files by handle.
    """
    closed = _out_of_reach(user, reach)
    if closed and not past_modes:
        raise PermissionError(f"{closed[0]} is closed to other users")
    kept = 1 << CAP_DAC_READ_SEARCH if closed else 0
    _drop_bounds(kept)
    if kept:
        check(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities")
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    drop_capabilities(kept)
    if kept:
        check(
            libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0),
            "ambient capability",
        )
    # a change of user hides /proc/self from oneself, which honest libraries read
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    if os.getresuid() != (user,) * 3 or os.getresgid() != (user,) * 3 or os.getgroups():
        raise PermissionError("still another user")


def _out_of_reach(user: int, paths: list[str]) -> list[str]:
    """Become that user by name only, and find out which of these paths it cannot read."""
    os.setgroups([])
    os.setresgid(user, -1, -1)
    os.setresuid(user, -1, -1)
    return [path for path in paths if not os.access(path, os.R_OK)]


def _drop_bounds(kept: int) -> None:
    """Let no program that is started give capabilities back."""
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(64):
        if not kept >> capability & 1 and libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            break


def drop_capabilities(kept: int = 0) -> None:
    """Give up all capabilities but these, and see that they are gone."""
    _drop_bounds(kept)
    header = struct.pack("=Ii", 0x20080522, 0)
    check(libc.capset(header, struct.pack("=6I", kept, kept, kept, 0, 0, 0)), "capset")
    with open("/proc/self/status", encoding="ascii") as file:
        status = dict(line.split(":", 1) for line in file)
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        if int(status[name], 16) & ~kept:
            raise PermissionError(f"still privileged: {name} {status[name].strip()}")


# ------------------------------------------------------------------ mounts

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC = 2, 4, 8, 1 << 12, 1 << 14
_MOUNTS = {
    "tmpfs": MS_NOSUID | MS_NODEV,
    "devpts": MS_NOSUID | MS_NOEXEC,
    "proc": MS_NOSUID | MS_NODEV | MS_NOEXEC,
}


def _mount(mounts: list[tuple[str, str, str]], kept: list[str]) -> None:
    """Mount fresh file systems, and show again in them what lay below their folders."""
    shown = {path: _hold(path) for path in kept}
    for kind, path, options in mounts:
        if kind == "proc":  # needed until then
            _show(shown)
        result = libc.mount(
            kind.encode(), path.encode(), kind.encode(), _MOUNTS[kind], options.encode()
        )
        check(result, f"mount {kind} on {path}")


def _hold(path: str) -> int | str:
    return os.readlink(path) if os.path.islink(path) else os.open(path, os.O_PATH)


def _show(shown: dict[str, int | str]) -> None:
    for path, what in shown.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(what, str):
            os.symlink(what, path)
            continue
        source = f"/proc/self/fd/{what}"
        if os.path.isdir(source):
            os.mkdir(path)
        else:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o644))
        flags = MS_BIND | MS_REC
        check(libc.mount(source.encode(), path.encode(), None, flags, None), f"show {path}")
        os.close(what)


# ------------------------------------------------------------------ Landlock and seccomp

READ = 1 << 2 | 1 << 3
EXECUTE, WRITE_FILE, TRUNCATE, IOCTL = 1 << 0, 1 << 1, 1 << 14, 1 << 15
FILE_RIGHTS = EXECUTE | WRITE_FILE | 1 << 2 | TRUNCATE | IOCTL
MAKE_DEVICES = 1 << 6 | 1 << 11
RIGHTS_OF_ABI = {1: 13, 2: 14, 3: 15, 4: 15}
NETWORK_ABI, SCOPE_ABI = 4, 6


def _confine(plan: Plan) -> Plan:
    """Lock the doors: no new privileges, Landlock, the filter. Tells what was had."""
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
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
    rules = check(libc.syscall(444, attribute, len(attribute), 0), "landlock_create_ruleset")
    _allow(rules, read, READ | EXECUTE, handled)
    _allow(rules, listed, 1 << 3, handled)
    _allow(rules, write, ~MAKE_DEVICES, handled)
    _allow(rules, devices, READ | WRITE_FILE | TRUNCATE | IOCTL, handled)
    check(libc.syscall(446, rules, 0), "landlock_restrict_self")
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
        check(
            libc.syscall(445, rules, 1, struct.pack("=Qi", wanted, opened), 0),
            f"landlock_add_rule {path}",
        )
        os.close(opened)


def _filter(program: bytes) -> None:
    """Install a seccomp filter in all threads."""
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    number = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
    check(libc.syscall(number, 1, 1, header), "seccomp")


if __name__ == "__main__":
    main()
