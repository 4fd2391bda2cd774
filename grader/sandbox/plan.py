"""The plan that our first program inside follows: written here, read by ``worker/launch.py``."""

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath

from grader.sandbox import interior
from grader.sandbox.interface import Job, Limits

_OPEN_FILES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """What Landlock lets a run do."""

    read: Sequence[str]
    """Files and folders to read, search and execute."""
    listed: Sequence[str]
    """Folders in which names may be seen, but no file read."""
    write: Sequence[str]
    """Folders to do everything in but make devices."""
    devices: Sequence[str]
    """Files to read and write but not to create."""
    network: bool
    """Whether TCP is left to somebody else to forbid."""
    least: int
    """The oldest Landlock that will do; 0 when it comes on top of something stronger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What a rung decides about one run."""

    box: str
    """The writable folder as the run sees it; ``work``, ``home`` and ``tmp`` are made in it."""
    workers: str
    """The folder of our programs as the run sees it."""
    places: Mapping[str, str]
    """Name → path inside, for each of :attr:`Job.readable`."""
    shown: Sequence[str] = ()
    """Folders besides the work folder whose open descriptors the host gets."""
    tasks: int
    """Processes and threads the kernel allows its user id; see :func:`users.tasks_allowed`."""
    user: int | None = None
    """User to become; ``None`` to stay who we are."""
    reach: Sequence[str] = ()
    """Paths that user must be able to read, if need be past file modes."""
    landlock: Grants | None = None
    """Landlock's rules, if it is to be used."""
    filter: bytes = field(default=b"", repr=False)
    """A seccomp filter to install last; empty when somebody else does."""


def write(job: Job, limits: Limits, doors: Doors, control: int, messages: int) -> int:
    """Write a plan with the files of the job behind it.

    Args:
        job: What to run.
        limits: What it may use up.
        doors: The rung's decisions.
        control: File descriptor of the control socket in the new process.
        messages: The same of the message channel.

    Returns:
        A file in memory, to be the new process's stdin.
    """
    work = f"{doors.box}/work"
    header = {
        "program": job.program,
        "workers": doors.workers,
        "task": {**job.task, "work": work, "places": dict(doors.places)},
        "control": control,
        "messages": messages,
        "limits": _kernel_limits(limits, doors.tasks),
        "user": doors.user,
        "reach": list(doors.reach),
        "folders": interior.folders(doors.box),
        "shown": [work, *doors.shown],
        "files": [[_inside(name), len(data)] for name, data in job.files.items()],
        "landlock": asdict(doors.landlock) if doors.landlock else None,
        "filter": base64.b64encode(doors.filter).decode("ascii"),
    }
    return in_memory(json.dumps(header, allow_nan=False).encode() + b"\n", *job.files.values())


def in_memory(*parts: bytes) -> int:
    """Make a file that exists only in memory, open at its beginning."""
    descriptor = os.memfd_create("plan", os.MFD_CLOEXEC)
    with open(descriptor, "wb", closefd=False) as file:
        file.writelines(parts)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _kernel_limits(limits: Limits, tasks: int) -> Mapping[str, int]:
    return {
        "CORE": 0,
        "NOFILE": _OPEN_FILES,
        "FSIZE": limits.disk,
        # A single allocation beyond all measure is a MemoryError in the student's line; a process
        # that grows step by step meets the polled limit first, so that the run ends as "memory".
        "DATA": limits.memory + limits.memory // 4,
        "NPROC": tasks,
    }


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name:
        raise ValueError(f"A file to lay in must lie below the work folder. Received: {name!r}")
    return str(path)
