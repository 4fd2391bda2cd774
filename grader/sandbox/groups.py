"""A control group for each run: the kernel holds its memory and processes and counts its time.

The two versions of control groups differ in what their files are called; a table says how, and
nothing else here knows which version it is.
"""

import fcntl
import os
import secrets
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox.interface import MIB, Limits

PREFIX = "grader-run-"
PROCESSES = "cgroup.procs"
"""Lists who is in a group; whose number is written there enters it."""
_YOUNG_S = 60.0
"""A group this young may not have been locked yet."""
_PATIENCE_S = 2.0
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A number that the kernel keeps of a group."""

    file: str
    """The file it stands in."""
    key: str = ""
    """The word before it, where the file has several."""
    unit: float = 1.0
    """What one of it is worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a version of control groups calls its files.

    A file's name begins with its controller, ``cgroup`` aside.
    """

    number: int
    controllers: tuple[str, ...]
    """Those whose files are used; each may have a hierarchy of its own."""
    memory: str
    """Where the limit of memory is set, in bytes."""
    no_swap: tuple[str, str]
    """The file and the value that keep a run from living beyond its limit in swap space."""
    killed: Sign
    """How many processes the kernel has killed for want of memory, whoever wanted it."""
    full: Sign
    """Tells that the group itself was full, and not the machine or a group above it,"""
    full_from: float
    """from this share of its limit on; or, if 0, when it is not 0."""
    refused: Sign
    """How many processes and threads were refused."""
    time: Sign
    """The processor time of all that are or were in it."""


V1 = Version(
    number=1,
    controllers=("memory", "pids", "cpuacct"),
    memory="memory.limit_in_bytes",
    no_swap=("memory.swappiness", "0"),  # a limit of swap is missing on many kernels
    killed=Sign(file="memory.oom_control", key="oom_kill"),
    # `memory.failcnt` stays 0 on some kernels
    full=Sign(file="memory.max_usage_in_bytes"),
    full_from=15 / 16,
    refused=Sign(file="pids.events", key="max"),
    time=Sign(file="cpuacct.usage", unit=1e-9),
)
V2 = Version(
    number=2,
    controllers=("memory", "pids", "cpu"),
    memory="memory.max",
    no_swap=("memory.swap.max", "0"),
    killed=Sign(file="memory.events", key="oom_kill"),
    full=Sign(file="memory.events", key="oom"),
    full_from=0,
    refused=Sign(file="pids.events", key="max"),
    time=Sign(file="cpu.stat", key="usage_usec", unit=1e-6),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the kernel says of a group."""

    cpu_s: float
    """Processor seconds of all that are or were in it."""
    out_of_memory: bool
    """Whether it killed for the group's own limit of memory."""
    out_of_processes: bool
    """Whether it refused a process or a thread."""


class Group:
    """The control group of one run.

    Args:
        version: How its files are called.
        folders: Where each controller has it.
        limits: What the run may use up.
    """

    def __init__(self, version: Version, folders: Mapping[str, Path], limits: Limits) -> None:
        self._version = version
        self._folders = folders
        self._memory, self._disk = limits.memory, limits.disk
        self._allowance = 0
        with suppress(FileNotFoundError):  # a kernel that cannot swap
            self._set(*version.no_swap)
        self._set(version.memory, str(limits.memory))
        self._set("pids.max", str(limits.processes))

    def join(self, pids: Iterable[int]) -> None:
        """Put processes into the group; what they start is in it from then on.

        Raises:
            SandboxError: The kernel refuses.
        """
        for pid in pids:
            for folder in dict.fromkeys(self._folders.values()):
                try:
                    write(folder / PROCESSES, str(pid))
                except ProcessLookupError:
                    break
                except OSError as error:
                    raise SandboxError(f"A run cannot enter {folder}: {error}") from error

    def allow(self, written: int) -> None:
        """Let a run have beyond its memory what it has written into folders in memory.

        That has a limit of its own, and the kernel counts it as memory. As much again is for what
        is written until the next time; and nothing is taken back, or the kernel would end a run for
        what it writes meanwhile.

        Args:
            written: Bytes.
        """
        allowance = min(2 * written, self._disk)
        if allowance >= self._allowance + MIB:
            self._allowance = allowance
            self._set(self._version.memory, str(self._memory + allowance))

    def look(self) -> Seen:
        """Read what the kernel says."""
        version, most = self._version, self._memory + self._allowance
        full = self._read(version.full) >= max(1, version.full_from * most)
        return Seen(
            cpu_s=self._read(version.time),
            out_of_memory=full and self._read(version.killed) > 0,
            out_of_processes=self._read(version.refused) > 0,
        )

    def _set(self, file: str, value: str) -> None:
        write(self._path(file), value)

    def _read(self, sign: Sign) -> float:
        words = self._path(sign.file).read_text("ascii").split()
        return int(words[words.index(sign.key) + 1 if sign.key else 0]) * sign.unit

    def _path(self, file: str) -> Path:
        return self._folders[file.partition(".")[0]] / file


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Where on this machine groups can be made."""

    version: Version
    """How their files are called."""
    parents: tuple[Path, ...]
    """For each controller, the group below which they are made."""

    @contextmanager
    def one(self, limits: Limits) -> Iterator[Group]:
        """Make a group for a run, and remove it with whoever is left in it.

        Args:
            limits: What the run may use up.

        Raises:
            SandboxError: It cannot be made.
        """
        name = f"{PREFIX}{secrets.token_hex(8)}"
        with ExitStack() as stack:
            try:
                for parent in dict.fromkeys(self.parents):
                    _remove_left_behind(parent)
                    stack.enter_context(_folder(parent / name))
                folders = [parent / name for parent in self.parents]
                by_controller = dict(zip(self.version.controllers, folders, strict=True))
                group = Group(self.version, by_controller, limits)
            except OSError as error:
                raise SandboxError(
                    f"No control group can be made for a run: {error}",
                    remedy="Try again; `grader doctor` says what this machine offers now.",
                ) from error
            yield group


@contextmanager
def grouped(groups: Groups | None, limits: Limits) -> Iterator[Group | None]:
    """Make a group for a run where there are any, as :meth:`Groups.one` does."""
    if groups is None:
        yield None
        return
    with groups.one(limits) as group:
        yield group


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """Make a group in one hierarchy and hold it by a lock, for as long as it is needed."""
    folder.mkdir()
    try:
        with _locked(folder):
            yield
    finally:
        _remove(folder)


def _remove_left_behind(parent: Path) -> None:
    """Remove the groups of graders that were killed themselves: nobody holds their lock."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.lstat().st_ctime > _YOUNG_S:
                with _locked(folder):
                    _remove(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, _FOLDER)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    """Remove a group. The kernel does so only when the last one in it is quite dead."""
    deadline = time.monotonic() + _PATIENCE_S
    while folder.exists():
        with suppress(OSError):
            folder.rmdir()
            return
        if time.monotonic() > deadline:
            return  # the next run tries again
        with suppress(OSError):  # version 2 alone has it, and it misses nobody
            write(folder / "cgroup.kill", "1")
        with suppress(OSError):
            for pid in (folder / PROCESSES).read_text("ascii").split():
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.002)


def write(file: Path, value: str) -> None:
    """Write a value by one call, into a file that must be there."""
    descriptor = os.open(file, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode("ascii"))
    finally:
        os.close(descriptor)
