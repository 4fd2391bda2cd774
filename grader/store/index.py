"""The index: one SQLite database that knows every entry and which blobs it names.

One connection serves all threads, behind a lock: a look costs some 50 µs and a commit some 0.4 ms,
so nobody waits long, and no thread that ends leaves a connection behind.
"""

import contextlib
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from grader.errors import StoreError
from grader.store.faults import busy, ruined, told

NAME = "index.sqlite"
VERSION = 1
_APPLICATION = 0x4B475253  # "KGRS", so that `file` and we know the database for ours
_PATIENCE_S = 60.0
_PAUSE_S = 0.002
_SCHEMA = """
CREATE TABLE entries (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    made INTEGER NOT NULL, -- microseconds since 1970, UTC
    about BLOB NOT NULL,   -- JSON: text by name
    blobs BLOB NOT NULL,   -- JSON: [sha256, bytes] by name
    seal BLOB NOT NULL,    -- SHA-256 over the other columns
    facts BLOB NOT NULL
);
CREATE INDEX entries_by_age ON entries (made, key);
CREATE TABLE uses (
    sha256 TEXT NOT NULL,
    key TEXT NOT NULL REFERENCES entries ON DELETE CASCADE,
    PRIMARY KEY (sha256, key)
) WITHOUT ROWID;
CREATE INDEX uses_by_key ON uses (key);
"""
_SHARED = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse", "glusterfs", "gpfs", "lustre", "ncpfs",
    "nfs", "nfs4", "ocfs2", "smb3", "smbfs", "virtiofs",
})  # fmt: skip
"""File systems on which several machines may see the folder. WAL needs shared memory, which
several machines do not have, and would be damaged there without a word."""


class Index:
    """The database in a store's folder, made when it is not there.

    Args:
        folder: The store's folder; it exists.

    Raises:
        StoreError: It cannot be opened, is damaged, or was made by a newer grader.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._turn = threading.Lock()
        with contextlib.ExitStack() as undo, told(folder):
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._lock = os.open(folder / "lock", flags, 0o600)
            undo.callback(os.close, self._lock)
            # For its mode alone: SQLite would make it readable for others.
            os.close(os.open(folder / NAME, flags, 0o600))
            self._connection = sqlite3.connect(
                folder / NAME, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
            )
            undo.callback(self._connection.close)
            with self._alone():
                self._begin()
            undo.pop_all()

    def read(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Ask the database.

        Raises:
            StoreError: It cannot be read.
        """
        with self._turn, told(self.folder):
            return self._connection.execute(query, values).fetchall()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Change the database: all that is done inside happens, or nothing.

        Only one at a time writes, over all threads and processes. What is done to blobs inside is
        seen by the next writer, so nobody names a blob that is just being removed.

        Raises:
            StoreError: It cannot be written; then it is as it was.
        """
        with self._turn, told(self.folder), self._alone():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        self._connection.execute("ROLLBACK")

    def shrink(self) -> None:
        """Give unused pages back to the disk.

        Raises:
            StoreError: It cannot be written.
        """
        with self._turn, told(self.folder), self._alone():
            # As a script, which goes on to the end: `execute` would give back a single page.
            self._connection.executescript("PRAGMA incremental_vacuum")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Let go of the database."""
        with self._turn:
            if self._lock < 0:
                return
            with contextlib.ExitStack() as stack:
                # The last one to close moves what was written into the database. Where that
                # does not work, the next one to open does it.
                with contextlib.suppress(StoreError):
                    stack.enter_context(self._alone())
                with contextlib.suppress(sqlite3.Error):
                    self._connection.close()
            os.close(self._lock)
            self._lock = -1

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other process writes; the lock ends with its process.

        SQLite has locks of its own. But until 3.51.3 a write beside a checkpoint of another
        process could damage a database in WAL mode, if ever so rarely.
        """
        end = time.monotonic() + _PATIENCE_S
        locked = False
        while not locked:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                locked = True
            except BlockingIOError:
                if time.monotonic() > end:
                    raise busy(self.folder) from None
                time.sleep(_PAUSE_S)
            except OSError:
                break  # a file system without such locks: SQLite's own must do
        try:
            yield
        finally:
            if locked:
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _begin(self) -> None:
        run = self._connection.execute
        run("PRAGMA trusted_schema=OFF")
        run("PRAGMA foreign_keys=ON")
        run("PRAGMA cell_size_check=ON")
        # These two are heard only while the database is empty. To fetch the facts of a class takes
        # half as long with pages of this size as with SQLite's usual 4 KiB.
        run("PRAGMA auto_vacuum=INCREMENTAL")
        run("PRAGMA page_size=8192")
        wanted = "DELETE" if _is_shared(self.folder) else "WAL"
        (mode,) = run(f"PRAGMA journal_mode={wanted}").fetchone()
        # With a rollback journal, FULL could take back the last commit when the power fails.
        run(f"PRAGMA synchronous={'FULL' if mode == 'wal' else 'EXTRA'}")
        run("BEGIN IMMEDIATE")
        try:
            self._know()
            run("COMMIT")
        finally:
            if self._connection.in_transaction:
                run("ROLLBACK")

    def _know(self) -> None:
        """Make the tables, or make sure that they are ours."""
        run = self._connection.execute
        (version,) = run("PRAGMA user_version").fetchone()
        (application,) = run("PRAGMA application_id").fetchone()
        (tables,) = run("SELECT count(*) FROM sqlite_master").fetchone()
        if not (version or application or tables):
            if any(self.folder.glob("blobs/*/[!.]*")):
                raise ruined(self.folder, "it is empty, and the blobs are there")
            for statement in _SCHEMA.split(";"):
                run(statement)
            run(f"PRAGMA application_id={_APPLICATION}")
            run(f"PRAGMA user_version={VERSION}")
        elif application != _APPLICATION:
            raise ruined(self.folder, f"{NAME} is another program's database")
        elif version > VERSION:
            raise StoreError(
                f"The evidence store {self.folder} was made by a newer grader "
                f"(version {version} of the store; this one knows {VERSION}).",
                remedy="Update the grader, or name another folder in GRADER_STORE.",
            )


def _is_shared(folder: Path) -> bool:
    """Tell whether a folder lies on a file system that other machines may see too."""
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines():
            before, _, after = line.partition(" - ")
            if before.split()[2:3] == [number]:
                return after.split(maxsplit=1)[0].partition(".")[0] in _SHARED
    return False
