"""User ids for single runs, when the host itself is root.

The kernel counts processes per user id, so no two runs on a machine may share one, whichever grader
started them: each id is held by a file lock for as long as its run lasts.
"""

import fcntl
import os
import random
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox.interface import Limits

FIRST, LAST = 61184, 65519
"""Where systemd takes ids for short-lived users; below 65536, so that containers know them."""

_LOCKS = (Path("/run/keras-grader"), Path("/var/tmp/keras-grader"))  # noqa: S108 - checked for owner and mode
_ATTEMPTS = 200
_SLACK = 16
_NEIGHBOURS = 1024
"""Room for what else the same user starts meanwhile."""


@contextmanager
def own_user() -> Iterator[int | None]:
    """Reserve a user id for one run; ``None`` when we are not root and need none.

    Raises:
        SandboxError: No id or no place for the locks could be had.
    """
    if os.geteuid() != 0:
        yield None
        return
    folder = _folder()
    try:
        for user in random.sample(range(FIRST, LAST + 1), _ATTEMPTS):
            if _in_use(user):
                continue
            lock = os.open(
                str(user),
                os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC,
                0o600,
                dir_fd=folder,
            )
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                continue
            try:
                yield user
            finally:
                os.close(lock)
            return
    finally:
        os.close(folder)
    raise SandboxError(f"No free user id between {FIRST} and {LAST} for a run.")


def _folder() -> int:
    """Open the folder of locks, which must be root's own."""
    reasons = []
    for path in _LOCKS:
        try:
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
            folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            reasons.append(str(error))
            continue
        facts = os.fstat(folder)
        if facts.st_uid == 0 and not stat.S_IMODE(facts.st_mode) & 0o022:
            return folder
        os.close(folder)
        reasons.append(f"{path} belongs to somebody else")
    raise SandboxError(
        "No place to reserve user ids for runs: " + "; ".join(reasons),
        remedy="Start the grader as an ordinary user, or make /run writable.",
    )


def _in_use(user: int) -> bool:
    with os.scandir("/proc") as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.name.isdecimal() and entry.stat().st_uid == user:
                    return True
    return False


def tasks_allowed(limits: Limits, user: int | None, *, counted_apart: bool = False) -> int:
    """Give the kernel's limit on the processes and threads of a run's user id.

    It lies above the one that is polled, which then has the word; between two polls it is what
    holds a bomb of forks.

    Args:
        limits: With the limit that is polled.
        user: The run's own user id, if it has one.
        counted_apart: Whether a namespace keeps other processes of the same id out of the count.
    """
    allowed = limits.processes + _SLACK
    return (
        allowed
        if user is not None or counted_apart
        else allowed + _tasks_of(os.getuid()) + _NEIGHBOURS
    )


def _tasks_of(user: int) -> int:
    """Count the processes and threads of a user."""
    count = 0
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdecimal() and process.stat().st_uid == user:
                count += sum(1 for _ in (process / "task").iterdir())
    return count
