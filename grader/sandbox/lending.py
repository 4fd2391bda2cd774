"""Shows a run what lies in folders closed to its user, without opening them.

Root's caches mostly lie in a home that only root may enter. A run that has no right to read past
file modes gets them on a shelf: links to the same files, or copies, in a folder that its user alone
may enter and nobody may change. So what is lent to one run stays closed to all others.
"""

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from grader.sandbox.boxes import host_box

_SHELF = 0o750
_FOLDER, _FILE = 0o755, 0o644


@contextmanager
def lent(readable: Mapping[str, Path], user: int) -> Iterator[Mapping[str, Path]]:
    """Give a path that a user can read for each of these.

    Args:
        readable: Folders or files, by name.
        user: Who is to read them; its group is its own.

    Yields:
        The path itself where everybody may read all of it, else one on a shelf.
    """
    closed = {name: path.resolve() for name, path in readable.items() if not _is_open(path)}
    if not closed:
        yield readable
        return
    with host_box(None) as shelf:
        for name, path in closed.items():
            _put(path, shelf / name)
        os.chown(shelf, -1, user)
        shelf.chmod(_SHELF)
        yield {**readable, **{name: shelf / name for name in closed}}


def closed_part(path: Path) -> Path | None:
    """Find the first part of a path that other users may not pass or read, if there is one."""
    path = path.resolve()
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    needed = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
    return None if path.stat().st_mode & needed == needed else path


def _is_open(path: Path) -> bool:
    """Whether everybody may read a file, or a folder and all that lies in it."""
    if closed_part(path) is not None:
        return False
    return not path.is_dir() or all(map(_is_open, path.iterdir()))


def _put(source: Path, target: Path) -> None:
    """Lay a file or folder onto a shelf, where its modes let everybody read who may enter."""
    if source.is_dir():
        target.mkdir()
        for child in source.iterdir():
            _put(child.resolve(), target / child.name)
        target.chmod(_FOLDER)
        return
    if source.stat().st_mode & stat.S_IROTH:
        try:
            target.hardlink_to(source)
        except OSError:  # another file system, or one without links
            pass
        else:
            return
    shutil.copyfile(source, target)
    target.chmod(_FILE)
