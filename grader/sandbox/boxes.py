"""A run's writable folder on the host's disk, for rungs that have no file system of their own.

Its contents are a hostile process's: modes that let nobody in, folders a thousand deep, links
elsewhere. It is measured while it changes, and removed once nobody is left to change it.
"""

import fcntl
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from grader.sandbox.mounts import lies_in_memory
from grader.sandbox.processes import Process
from grader.sandbox.start import DiskUse
from grader.sandbox.users import FIRST, LAST

_PREFIX = "grader-box-"
_YOUNG_S = 60.0
"""A box this young may not have been locked yet."""
_GLANCE_S = 0.005
"""Time for measuring at each poll: memory is watched meanwhile as closely as ever."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK = 512
_NAMELESS_S = 0.5


@contextmanager
def host_box(user: int | None) -> Iterator[Path]:
    """Make a private folder for one run, and remove it with all that was put there.

    Args:
        user: Who is to own it, if not we.
    """
    _remove_left_behind()
    box = Path(tempfile.mkdtemp(prefix=_PREFIX))
    with _locked(box):
        try:
            if user is not None:
                os.chown(box, user, user)
            yield box
        finally:
            remove(box)


def _remove_left_behind() -> None:
    """Remove the boxes of graders that were killed themselves: nobody holds their lock."""
    for box in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            facts = box.lstat()
            owner, age = facts.st_uid, time.time() - facts.st_ctime
            ours = owner == os.getuid() or (os.geteuid() == 0 and FIRST <= owner <= LAST)
            if ours and age > _YOUNG_S:
                with _locked(box):
                    remove(box)


@contextmanager
def _locked(box: Path) -> Iterator[None]:
    """Hold a box; fails where somebody holds it."""
    folder = os.open(box, _FOLDER)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(folder)


def remove(box: Path) -> None:
    """Remove a folder whose processes are dead, whatever they left in it.

    Folders in folders are first moved up, so that no depth costs more than any other.
    """
    folder = os.open(box, _FOLDER)
    try:
        todo = _clear(folder, folder)
        while todo:
            name = todo.pop()
            _open_up(name, folder)
            with suppress(OSError):
                inner = os.open(name, _FOLDER, dir_fd=folder)
                try:
                    todo += _clear(inner, folder)
                finally:
                    os.close(inner)
            with suppress(OSError):
                os.rmdir(name, dir_fd=folder)
    finally:
        os.close(folder)
    with suppress(OSError):
        box.rmdir()


def _clear(folder: int, top: int) -> list[str]:
    """Delete the files of a folder and move its folders to the top; give their names there."""
    moved = []
    with os.scandir(folder) as entries:
        names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in names:
        with suppress(OSError):
            if not is_folder:
                os.unlink(name, dir_fd=folder)
                continue
            place = secrets.token_hex(8)
            if folder != top:
                _open_up(name, folder)  # only who may write in a folder can move it elsewhere
            os.rename(name, place, src_dir_fd=folder, dst_dir_fd=top)
            moved.append(place)
    return moved


def _open_up(name: str, folder: int) -> None:
    """Give ourselves a student's folder back; to root its modes do not matter."""
    if os.geteuid() != 0:
        with suppress(OSError):
            os.chmod(name, stat.S_IRWXU, dir_fd=folder)


class HostDisk:
    """Measures a folder a little at each call, so that no number of files delays the other limits.

    Args:
        box: The folder.
        elsewhere: Where else the run may write.
        strewn: Lists what lies there of its own.
    """

    def __init__(
        self,
        box: Path,
        elsewhere: Iterable[Path] = (),
        strewn: Callable[[], Iterable[os.DirEntry[str]]] = tuple,
    ) -> None:
        self._box = box
        self._strewn = strewn
        self._in_memory = lies_in_memory(box)
        self._devices = {folder.stat().st_dev for folder in (box, *elsewhere)}
        self._whole = DiskUse(size=0, files=0)
        self._nameless = 0
        self._nameless_at = 0.0
        self._walk = _steps(self._box, self._strewn)

    def __call__(self, _: Sequence[int], tree: Sequence[Process]) -> DiskUse:
        """Give the larger of the last whole measurement and of what the present one has seen."""
        now = time.monotonic()
        if now > self._nameless_at:
            self._nameless = sum(_nameless(tree, self._devices).values())
            self._nameless_at = time.monotonic() + _NAMELESS_S
        seen = self._whole
        for seen, is_whole in self._walk:
            if is_whole:
                self._whole = seen
                self._walk = _steps(self._box, self._strewn)
                break
            if time.monotonic() > now + _GLANCE_S:
                break
        size = max(seen.size, self._whole.size) + self._nameless
        return DiskUse(
            size=size,
            files=max(seen.files, self._whole.files),
            memory=size if self._in_memory else 0,
        )


def _steps(
    box: Path, strewn: Callable[[], Iterable[os.DirEntry[str]]]
) -> Iterator[tuple[DiskUse, bool]]:
    """Measure step by step. Whoever lets go of this lets go of the folder it has open, too."""
    size = files = 0
    todo: list[str] = []
    for entry in chain(strewn(), _entries(str(box)), _below(todo)):
        with suppress(OSError):
            size += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
            files += 1
            if entry.is_dir(follow_symlinks=False):
                todo.append(entry.path)
        yield DiskUse(size=size, files=files), False
    yield DiskUse(size=size, files=files), True


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from entries


def _below(todo: list[str]) -> Iterator[os.DirEntry[str]]:
    """Go through folders, to which what is found in them may be added meanwhile."""
    while todo:
        yield from _entries(todo.pop())


def _nameless(tree: Sequence[Process], devices: Container[int]) -> dict[tuple[int, int], int]:
    """Find files that are open but have no name any more, by device and inode; with their bytes."""
    found = {}
    for process in tree:
        with suppress(OSError):
            for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
                with suppress(OSError):
                    facts = descriptor.stat()
                    if (
                        stat.S_ISREG(facts.st_mode)
                        and not facts.st_nlink
                        and facts.st_dev in devices
                    ):
                        found[facts.st_dev, facts.st_ino] = facts.st_blocks * _BLOCK
    return found
