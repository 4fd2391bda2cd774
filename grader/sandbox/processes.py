"""What a process tree uses, read from ``/proc``.

Everything read here is about hostile processes: they come and go while it is read, choose their own
names, and may forbid a look at their memory map.
"""

# Read twenty times a second; pathlib would cost more than all the rest.
# ruff: noqa: PTH208

import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

_TICKS = os.sysconf("SC_CLK_TCK")
_FRESH_S = 0.03
_CHUNK = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One line of ``/proc/<pid>/stat``."""

    pid: int
    parent: int
    state: str
    threads: int
    cpu_s: float
    """Its own processor seconds and those of the children it waited for."""
    started: int
    """Clock ticks since boot: with the pid, an identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a tree uses together."""

    memory: int = 0
    tasks: int = 0
    cpu_s: float = 0.0


def read(pid: int) -> Process | None:
    """Look at one process; ``None`` when it is gone."""
    line = _line(pid)
    return _process(pid, line) if line else None


def _line(pid: int) -> bytes:
    return _content(f"/proc/{pid}/stat", is_line=True)


def _content(path: str, *, is_line: bool = False) -> bytes:
    """Read a file; empty when it is gone. A file object would take twice as long.

    Args:
        path: Which.
        is_line: It is a short one, of which nothing is left after the first look.
    """
    content = b""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            content = os.read(descriptor, _CHUNK)
            while not is_line and (more := os.read(descriptor, _CHUNK)):
                content += more  # a user may be in thousands of groups, all of them named
        finally:
            os.close(descriptor)
    return content


def _after_name(line: bytes) -> int:
    """Where the state stands: a name may hold anything, brackets too."""
    return line.rindex(b")") + 2


def _parent(line: bytes) -> int:
    return int(line[_after_name(line) + 2 :].split(maxsplit=1)[0])


def _process(pid: int, line: bytes) -> Process:
    values = line[_after_name(line) :].split()
    return Process(
        pid=pid,
        parent=int(values[1]),
        state=values[0].decode("ascii", "replace"),
        threads=int(values[17]),
        cpu_s=sum(map(int, values[11:15])) / _TICKS,
        started=int(values[19]),
    )


class _Table:
    """All processes of the machine by parent; runs side by side share one reading."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at = 0.0
        self._children: Mapping[int, Sequence[tuple[int, bytes]]] = {}

    def children(self, *, fresh: bool) -> Mapping[int, Sequence[tuple[int, bytes]]]:
        """Give the numbers and the lines of each process's children: most are nobody's concern."""
        with self._lock:
            if fresh or time.monotonic() - self._read_at > _FRESH_S:
                children: dict[int, list[tuple[int, bytes]]] = {}
                for name in os.listdir("/proc"):
                    if name.isdecimal() and (line := _line(int(name))):
                        children.setdefault(_parent(line), []).append((int(name), line))
                self._children = children
                self._read_at = time.monotonic()
            return self._children


_table = _Table()


def descendants(root: int, *, fresh: bool = False) -> list[Process]:
    """All processes below one, without it."""
    children = _table.children(fresh=fresh)
    found: list[Process] = []
    todo = [root]
    while todo:
        below = children.get(todo.pop(), ())
        found += [_process(pid, line) for pid, line in below]
        todo += [pid for pid, _ in below]
    return found


def usage(tree: Sequence[Process]) -> Usage:
    """Add up a tree; shared pages count once for each process that maps them."""
    return Usage(
        memory=sum(_resident(process.pid) for process in tree),
        tasks=sum(process.threads for process in tree if process.state != "Z"),
        cpu_s=sum(process.cpu_s for process in tree),
    )


def shared_once(tree: Sequence[Process]) -> int:
    """Memory of a tree with shared pages counted once; dearer, so only to confirm."""
    return sum(_proportional(process.pid) for process in tree)


def _resident(pid: int) -> int:
    return _kibibytes(f"/proc/{pid}/status", (b"RssAnon:", b"RssShmem:"))


def _proportional(pid: int) -> int:
    path = f"/proc/{pid}/smaps_rollup"
    # what hides its map is counted in full
    return _kibibytes(path, (b"Pss_Anon:", b"Pss_Shmem:")) or _resident(pid)


def _kibibytes(path: str, fields: tuple[bytes, ...]) -> int:
    lines = _content(path).splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(fields))
