"""Finds and removes what a run put where every user of the machine may write.

A rung that cannot forbid such folders can at least see to it that nothing waits there for the next
run. What a run's user owns there is the run's: while its id is held, nobody else has it.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from grader.sandbox.boxes import remove


@contextmanager
def cleared(user: int) -> Iterator[None]:
    """Remove a user's files and folders from the open folders, before its run and after.

    Args:
        user: A user id that is held for one run.
    """
    _clear(user)
    try:
        yield
    finally:
        _clear(user)


def open_folders() -> set[Path]:
    """Name the folders that every machine lets every user write into."""
    named = ("/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir())  # noqa: S108 - watched, not used
    return {Path(folder).resolve() for folder in named if Path(folder).is_dir()}


def strewn(user: int, box: Path | None = None) -> Iterator[os.DirEntry[str]]:
    """List what a user owns in the open folders.

    Args:
        user: A user id that is held for one run.
        box: Its box, which is left out.
    """
    left_out = box and str(box.resolve())
    for folder in open_folders():
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    is_its = entry.stat(follow_symlinks=False).st_uid == user
                    if is_its and entry.path != left_out:
                        yield entry


def _clear(user: int) -> None:
    for entry in list(strewn(user)):
        with suppress(OSError):
            if entry.is_dir(follow_symlinks=False):
                remove(Path(entry.path))
            else:
                Path(entry.path).unlink()
