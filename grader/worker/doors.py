"""The doors of a sandbox, locked one after another from inside before student code runs.

Another user without privileges, file systems of the run's own, Landlock, a seccomp filter. Each
raises where it is wanted and cannot be locked: no run begins behind an open one.
"""

# Starts with every run; pathlib would cost more than all the rest.
# ruff: noqa: PTH102, PTH103, PTH112, PTH114, PTH115, PTH120, PTH123
# ruff: noqa: PTH211

import base64
import ctypes
import os
import struct
from collections.abc import Iterable
from typing import Any

Plan = dict[str, Any]

libc = ctypes.CDLL(None, use_errno=True)


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


def become(user: int, reach: list[str], *, past_modes: bool) -> None:
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


def mount(mounts: list[tuple[str, str, str]], kept: list[str]) -> None:
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


def confine(plan: Plan) -> Plan:
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
