"""What can go wrong with the store's folder, in words for the person at the keyboard."""

import contextlib
import errno
import os
import shlex
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from grader.errors import StoreError

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_RIGHT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_LITTLE = 1 << 20
"""With less room than this, SQLite's "disk I/O error" is taken for a full disk."""


def ruined(folder: Path, why: str) -> StoreError:
    """Say that the index cannot be used, and how to begin anew."""
    aside = folder.with_name(f"{folder.name}.damaged")
    return StoreError(
        f"The index of the evidence store {folder} is damaged: {why}.",
        remedy=(
            f"Set the store aside: mv {shlex.quote(str(folder))} {shlex.quote(str(aside))}\n"
            "A new one is begun by itself; what the old one held is run again when it is wanted."
        ),
    )


@contextlib.contextmanager
def told(folder: Path) -> Iterator[None]:
    """Turn what the disk and the database raise into a sentence with a remedy."""
    try:
        yield
    except sqlite3.Error as error:
        raise _of_database(folder, error) from error
    except OSError as error:
        raise _of_disk(folder, error) from error


def _of_disk(folder: Path, error: OSError) -> StoreError:
    if error.errno in _NO_SPACE:
        return _no_space(folder)
    if error.errno in _NO_RIGHT:
        return _no_right(folder, str(error))
    return StoreError(
        f"The evidence store {folder} cannot be read or written: {error}.",
        remedy="Look after the disk, or name another folder in GRADER_STORE.",
    )


def _of_database(folder: Path, error: sqlite3.Error) -> StoreError:
    # The last byte of an extended code is the plain code.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(folder)):
        return _no_space(folder)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return busy(folder)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return _no_right(folder, str(error))
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(
            f"The index of the evidence store {folder} cannot be read or written: {error}.",
            remedy="Look after the disk, or name another folder in GRADER_STORE.",
        )
    return ruined(folder, str(error))


def busy(folder: Path) -> StoreError:
    """Say that another program does not let go of the store."""
    return StoreError(
        f"The evidence store {folder} is in use, and was not let go of for a minute.",
        remedy="End or resume the other grader (a stopped one shows as T in `ps -C grader`).",
    )


def _no_space(folder: Path) -> StoreError:
    return StoreError(
        f"There is no space left for the evidence store {folder}.",
        remedy="Free some, then: grader store prune --keep 1GB. Or name a folder in GRADER_STORE.",
    )


def _no_right(folder: Path, why: str) -> StoreError:
    return StoreError(
        f"The evidence store {folder} is not yours to write: {why}.",
        remedy="Name a folder of your own in GRADER_STORE.",
    )


def _is_full(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        state = os.statvfs(folder)
        return state.f_bavail * state.f_frsize < _LITTLE
    return False
