"""What is mounted where, read from ``/proc``."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OURS = Path("/proc/self")
_IN_MEMORY = ("tmpfs", "ramfs")
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line of ``/proc/<pid>/mountinfo``."""

    device: str
    """Major and minor number, as in ``"0:31"``."""
    root: str
    """Which folder of its file system is mounted."""
    point: Path
    """Where."""
    kind: str
    """Of file system."""
    options: tuple[str, ...]
    """Of the file system; for control groups, its controllers are among them."""


def mounts(process: Path = OURS) -> Iterator[Mount]:
    """List what a process sees mounted.

    Args:
        process: Its folder in ``/proc``.
    """
    for line in (process / "mountinfo").read_text("utf-8", "replace").splitlines():
        before, _, after = line.partition(" - ")
        _, _, device, root, point, *_ = before.split(" ")
        kind, _, options = after.split(" ")
        yield Mount(
            device=device,
            root=_plain(root),
            point=Path(_plain(point)),
            kind=kind,
            options=tuple(options.split(",")),
        )


def lies_in_memory(path: Path) -> bool:
    """Whether what is written there takes memory and no disk."""
    number = path.stat().st_dev
    device = f"{os.major(number)}:{os.minor(number)}"
    return any(mount.device == device and mount.kind in _IN_MEMORY for mount in mounts())


def _plain(text: str) -> str:
    """Undo the escapes of blanks and the like."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)
