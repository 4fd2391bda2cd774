"""What a tree of processes uses, read from ``/proc``.

``wait4`` tells of the processes that somebody waited for. A sandbox that is taken down with its
processes waits for none of them, so the tree is looked at while it lives.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.shared.faults import BenchmarkError

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process at one moment."""

    pid: int
    """Its number."""
    parent: int
    """Its parent's number."""
    name: str
    """What it calls itself."""
    started: int
    """Clock ticks since boot; with the pid, an identity."""
    own: float
    """Processor seconds of its own."""
    waited: float
    """Processor seconds of the children that it waited for."""


def _numbers() -> set[int]:
    """The number of every process of the machine."""
    return {int(name) for name in os.listdir(_PROC) if name.isdecimal()}  # noqa: PTH208 - often


def _read(pid: int) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - many times a second
            line = file.read()
    except OSError:
        return None
    end = line.rindex(b")")  # a name may hold anything, brackets too
    values = line[end + 2 :].split()
    return Process(
        pid=pid,
        parent=int(values[1]),
        name=line[line.index(b"(") + 1 : end].decode("utf-8", "replace"),
        started=int(values[19]),
        own=(int(values[11]) + int(values[12])) / _TICKS,
        waited=(int(values[13]) + int(values[14])) / _TICKS,
    )


class Meter:
    """Adds up the processor time of a tree, of killed processes too.

    What somebody waited for is exact. What a killed process used between the last look and its end
    is lost, and so is a process that leaves the tree before it was seen.

    Args:
        root: The number of the first process.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._seen: dict[int, Process] = {}
        self._unclaimed = 0.0
        self._strangers: set[int] = set()  # a process never moves into another's tree

    def look(self) -> list[Process]:
        """Look at the tree as it is now; empty when its root is gone."""
        numbers = _numbers()
        self._strangers &= numbers
        now = {pid: found for pid in numbers - self._strangers if (found := _read(pid))}
        if self._root not in now:
            return []
        kept = [pid for pid, old in self._seen.items() if _same(old, now.get(pid))]
        tree = _below(now, {self._root, *kept})
        self._claim(now)
        self._seen = tree
        self._strangers |= now.keys() - tree.keys()
        return list(tree.values())

    def total(self, used: float) -> float:
        """Processor seconds of the whole tree, now that its root was waited for.

        Args:
            used: What ``wait4`` told of the root.
        """
        root = self._seen.get(self._root)
        if root is not None:
            rest = {pid: seen for pid, seen in self._seen.items() if pid != self._root}
            spent = sum(process.own + process.waited for process in rest.values())
            self._unclaimed += max(0.0, spent - max(0.0, used - root.own - root.waited))
            self._seen = {}
        return used + self._unclaimed

    def _claim(self, now: Mapping[int, Process]) -> None:
        """Keep the processor time of the dead that no ancestor was credited with."""
        spent: defaultdict[int, float] = defaultdict(float)
        gone = {pid for pid, old in self._seen.items() if not _same(old, now.get(pid))}
        for pid in gone:
            heir = self._seen[pid].parent
            while heir in gone:
                heir = self._seen[heir].parent
            spent[heir] += self._seen[pid].own + self._seen[pid].waited
        for heir, seconds in spent.items():
            before = self._seen.get(heir)
            credited = now[heir].waited - before.waited if before and heir in now else 0.0
            self._unclaimed += max(0.0, seconds - credited)


def _same(old: Process, new: Process | None) -> bool:
    return new is not None and new.started == old.started


def _below(now: Mapping[int, Process], roots: Iterable[int]) -> dict[int, Process]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for process in now.values():
        children[process.parent].append(process.pid)
    found: dict[int, Process] = {}
    todo = list(roots)
    while todo:
        pid = todo.pop()
        if pid in now and pid not in found:
            found[pid] = now[pid]
            todo += children[pid]
    return found


def proportional_mb(tree: Iterable[Process]) -> float:
    """Megabytes of a tree; a page that n processes share counts 1/n for each (PSS).

    Raises:
        BenchmarkError: A process hides its memory map.
    """
    total = 0
    for process in tree:
        try:
            lines = (_PROC / str(process.pid) / "smaps_rollup").read_text("ascii").splitlines()
        except PermissionError as error:
            raise BenchmarkError(
                f"the memory of process {process.pid} ({process.name}) cannot be read: {error}"
            ) from error
        except OSError:  # it has ended
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def peak_mb(pid: int) -> float:
    """The most resident memory that one process has had so far; 0 when it is gone."""
    with suppress(OSError):
        for line in (_PROC / str(pid) / "status").read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0
