"""Finds out whether control groups can be made here, and where: below the grader's own.

Root may where the hierarchies are writable, which they are not in most containers. An ordinary user
may where a group was handed over to it, as ``systemd-run --user --scope`` does. Nothing is made
outside the group that the grader was started in: the rest of the tree is somebody else's.
"""

import functools
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox.groups import PROCESSES, V1, V2, Groups, Version, write
from grader.sandbox.interface import Limits
from grader.sandbox.mounts import OURS, mounts

_HOST = "grader-host-"
_YOUNG_S = 60.0
_DELEGATED = ("memory", "pids")
"""What version 2 must be told to have in groups below; processor time is counted in all."""


@functools.cache
def find_groups(process: Path = OURS) -> Groups | None:
    """Find where groups can be made; ``None`` when nowhere.

    Args:
        process: The grader's folder in ``/proc``.
    """
    for version, find in ((V1, _by_controller), (V2, _unified)):
        with suppress(OSError, SandboxError):
            parents = tuple(find(version, process))
            if parents:
                groups = Groups(version=version, parents=parents)
                with groups.one(Limits()):  # nothing but trying tells
                    return groups
    return None


def _by_controller(version: Version, process: Path) -> Iterator[Path]:
    """Give the grader's own group in the hierarchy of each controller."""
    own = _own(process)
    points = {
        controller: (mount.root, mount.point)
        for mount in mounts(process)
        if mount.kind == "cgroup"
        for controller in mount.options
    }
    if set(version.controllers) <= own.keys() & points.keys():
        for controller in version.controllers:
            yield _seen_at(own[controller], *points[controller])


def _unified(version: Version, process: Path) -> Iterator[Path]:
    """Give the grader's own group, once groups below it can have limits."""
    own = _own(process)
    for mount in mounts(process):
        if mount.kind == "cgroup2" and "" in own:
            parent = _prepared(_seen_at(own[""], mount.root, mount.point))
            if parent is not None:
                yield from (parent for _ in version.controllers)
            return


def _own(process: Path) -> Mapping[str, str]:
    """Give the grader's group for each controller, that of version 2 under no name."""
    lines = (process / "cgroup").read_text("utf-8").splitlines()
    return {
        controller: path
        for _, controllers, path in (line.split(":", 2) for line in lines)
        for controller in controllers.split(",")
    }


def _seen_at(group: str, root: str, point: Path) -> Path:
    """Give the folder of a group, of whose tree perhaps only a part is mounted."""
    below = Path(group).relative_to(root) if root != "/" else Path(group.lstrip("/"))
    if ".." in below.parts:
        raise FileNotFoundError(f"{group} lies outside what is mounted at {point}")
    return point / below


def _prepared(own: Path) -> Path | None:
    """Have version 2 limit what is below a group.

    It does so only where no process is in the group itself, but for the tree's own root: the grader
    moves into a group below, and back where it was not alone.
    """
    if own.name.startswith(_HOST):  # a grader that was started by one
        own = own.parent
    if not _has(own / "cgroup.controllers"):
        return None
    if _has(own / "cgroup.subtree_control"):
        return own
    for empty in own.glob(f"{_HOST}*"):
        with suppress(OSError):  # whose grader is still there
            if time.time() - empty.lstat().st_ctime > _YOUNG_S:
                empty.rmdir()
    beside = own / f"{_HOST}{os.getpid()}"
    beside.mkdir()
    me = str(os.getpid())
    try:
        write(beside / PROCESSES, me)
        wanted = " ".join(f"+{controller}" for controller in _DELEGATED)
        write(own / "cgroup.subtree_control", wanted)
    except OSError:
        with suppress(OSError):
            write(own / PROCESSES, me)
            beside.rmdir()
        return None
    return own


def _has(file: Path) -> bool:
    return set(_DELEGATED) <= set(file.read_text("ascii").split())
