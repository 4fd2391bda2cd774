"""The plan that our first program inside follows: written here, read by ``worker/begin.py``."""

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

from grader.sandbox import interior
from grader.sandbox.fonts import FOLDER, font_list
from grader.sandbox.interface import Job, Limits
from grader.sandbox.wardened import KeepSignals

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
    """Paths that user must be able to read."""
    past_modes: bool = True
    """Whether it may read past file modes, if need be: where something else keeps it in."""
    landlock: Grants | None = None
    """Landlock's rules, if it is to be used."""
    filter: bytes = field(default=b"", repr=False)
    """A seccomp filter to install last; empty when somebody else does."""
    mounts: Sequence[tuple[str, str, str]] = ()
    """File systems to mount first: kind, folder, options; ``/proc`` last."""
    kept: Sequence[str] = ()
    """Paths below those folders that stay to be seen."""
    keep_signals: KeepSignals = "never"
    """What the warden of a server's fork is told; see ``worker/warden.py``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What a server makes ready before it forks."""

    programs: Sequence[str]
    """The workers to import."""
    readable: Mapping[str, Path]
    """What every run of it may read, as in :attr:`Job.readable`."""
    prepare: Mapping[str, object]
    """What the workers' ``prepare`` gets."""
    late: Sequence[str] = ()
    """Modules that the workers import, and which may wait until the server has time."""


def write(job: Job, limits: Limits, doors: Doors, inside: Sequence[int] = ()) -> int:
    """Write a plan with the files of the job behind it.

    Args:
        job: What to run.
        limits: What it may use up.
        doors: The rung's decisions.
        inside: File descriptors of the control socket and of the other channels in the new
            process; a server's fork gets its own from the server.

    Returns:
        A file in memory, to be the new process's stdin.
    """
    files = {_inside(name): data for name, data in job.files.items()} | _fonts(doors)
    plan = _doors(doors) | {
        "serves": False,
        "program": job.program,
        "descriptors": list(inside),
        "limits": _kernel_limits(limits, doors.tasks),
        "files": _sizes(files),
    }
    return in_memory(_line(plan), _line(_task(job.task, doors)), *files.values())


def write_server(serving: Serving, doors: Doors, control: int) -> int:
    """Write the plan of a server.

    Args:
        serving: What it makes ready.
        doors: The rung's decisions.
        control: File descriptor, in the new process, of the socket on which it hears requests.

    Returns:
        A file in memory, to be the new process's stdin.
    """
    files = _fonts(doors)
    plan = _doors(doors) | {
        "serves": True,
        "descriptors": [control],
        "limits": {"CORE": 0},
        "files": _sizes(files),
    }
    task = {
        "programs": list(serving.programs),
        "prepare": dict(serving.prepare),
        "late": list(serving.late),
    }
    return in_memory(_line(plan), _line(_task(task, doors)), *files.values())


def _doors(doors: Doors) -> dict[str, object]:
    work = f"{doors.box}/work"
    return {
        "workers": doors.workers,
        "work": work,
        "mounts": list(doors.mounts),
        "kept": list(doors.kept),
        "user": doors.user,
        "reach": list(doors.reach),
        "past_modes": doors.past_modes,
        "folders": interior.folders(doors.box),
        "shown": [work, *doors.shown],
        "environment": dict(interior.environment(doors.box)),
        "landlock": asdict(doors.landlock) if doors.landlock else None,
        "filter": base64.b64encode(doors.filter).decode("ascii"),
        "keep_signals": doors.keep_signals,
    }


def _task(task: Mapping[str, object], doors: Doors) -> dict[str, object]:
    return {**task, "work": f"{doors.box}/work", "places": dict(doors.places)}


def _fonts(doors: Doors) -> dict[str, bytes]:
    """Give what matplotlib would search the system for."""
    known = font_list()
    return {f"{doors.box}/home/{FOLDER}/{known[0]}": known[1]} if known else {}


def _sizes(files: Mapping[str, bytes]) -> list[tuple[str, int]]:
    return [(path, len(data)) for path, data in files.items()]


def _line(values: object) -> bytes:
    return json.dumps(values, allow_nan=False).encode() + b"\n"


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
        # that grows step by step meets the limit of memory first, so that the run ends as "memory".
        "DATA": limits.memory + limits.memory // 4,
        "NPROC": tasks,
    }


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name:
        raise ValueError(f"A file to lay in must lie below the work folder. Received: {name!r}")
    return str(path)
