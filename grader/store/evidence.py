"""Evidence, kept: facts in an index, everything large in files named by their content."""

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import platformdirs

from grader.errors import StoreError
from grader.store import pruning, travel
from grader.store.blobs import SHA256, Blobs, sync_folder
from grader.store.entries import KIND, Entry, Problem, Pruned
from grader.store.faults import told
from grader.store.health import OURS, ill_made, problems, with_ill_blobs
from grader.store.index import NAME, Index
from grader.store.rows import (
    COLUMNS,
    Row,
    as_json,
    is_sealed,
    microseconds,
    named_by,
    opened,
    pages,
    row_of,
)


def default_folder() -> Path:
    """Give the folder of this user's store: ``GRADER_STORE``, or one among the user's data."""
    named = os.environ.get("GRADER_STORE")
    folder = Path(named) if named else platformdirs.user_data_path("keras-grader") / "evidence"
    return folder.expanduser().absolute()


def is_store(folder: Path) -> bool:
    """Tell whether a folder holds a store, sound or not."""
    return (folder / NAME).is_file() or (folder / "blobs").is_dir()


class Store:
    """What submissions did, under the hash of all that could change it.

    Several threads and several processes may use a store at once. It survives the end of any of
    them at any moment: an entry is there whole, or not at all. Close it, or use it in a ``with``.

    Args:
        folder: Where it lies; it is made, for its owner alone, when it is not there.

    Raises:
        StoreError: It cannot be opened, is damaged, or was made by a newer grader.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().absolute()
        self._blobs = Blobs(self.folder / "blobs")
        with told(self.folder):
            if _is_new(self.folder):
                self._blobs.prepare()
            self._index = Index(self.folder)
            sync_folder(self.folder)

    def __enter__(self) -> Self:
        """Give the store, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the store; closing twice does no harm."""
        self._index.close()

    # -------------------------------------------------------------- one entry, or many

    def get(self, key: str) -> Entry | None:
        """Give an entry.

        Returns:
            The entry; nothing when there is none, when it is damaged, or when one of its blobs
            is missing.

        Raises:
            StoreError: The index cannot be read.
        """
        return self.get_many([key]).get(key)

    def get_many(self, keys: Sequence[str]) -> dict[str, Entry]:
        """Give those of many entries that are there, by one look into the index.

        Raises:
            StoreError: The index cannot be read.
        """
        rows = self._index.read(
            f"SELECT {COLUMNS} FROM entries WHERE key IN (SELECT value FROM json_each(?))",  # noqa: S608
            [json.dumps(list(keys))],
        )
        found = {entry.key: entry for entry in self._whole(rows)}
        return {key: found[key] for key in keys if key in found}

    def put(
        self,
        key: str,
        *,
        kind: str,
        facts: bytes,
        blobs: Mapping[str, bytes],
        about: Mapping[str, str] | None = None,
    ) -> Entry:
        """Keep something; it is on the disk when this returns.

        What was kept under the key before is replaced; the same put again is known from now on.

        Args:
            key: 64 hex digits: the hash of all that could change what is kept.
            kind: A short word, e.g. ``"run"``.
            facts: JSON.
            blobs: Name → bytes.
            about: For people who list the store.

        Returns:
            The entry as it is now.

        Raises:
            StoreError: There is no space, or the disk fails; then the store is as it was.
            ValueError: The key or the kind is not of its form.
        """
        return self._put(key, kind, facts, blobs, about or {}, datetime.now(UTC))

    def blob(self, sha256: str) -> bytes:
        """Give the bytes of a blob.

        Raises:
            StoreError: It is missing, or not what was written.
        """
        return self._blobs.read(sha256)

    def entries(self) -> Iterator[Entry]:
        """Give every entry that :meth:`get` would give, newest first, a few at a time.

        Raises:
            StoreError: The index cannot be read.
        """
        for rows in pages(self._index):
            yield from self._whole(rows)

    def said_of(self, kind: str) -> Sequence[Mapping[str, str]]:
        """Give what was said for people, of each entry of a kind, without reading the entries.

        Raises:
            StoreError: The index cannot be read.
        """
        rows = self._index.read("SELECT about FROM entries WHERE kind = ?", [kind])
        found = []
        for (about,) in rows:
            with contextlib.suppress(ValueError, TypeError):  # a damaged one says nothing
                found.append(dict(json.loads(about)))
        return found

    # -------------------------------------------------------------- looking after it

    def verify(self) -> Iterator[Problem]:
        """Look at everything, read every blob, and tell what is not as it should be.

        Whatever is being put meanwhile may show up as a leftover.
        """
        return problems(self.folder, self._index, self._blobs)

    def prune(
        self,
        *,
        older_than: timedelta | None = None,
        keep_bytes: int | None = None,
        damaged: bool = False,
        dry_run: bool = False,
    ) -> Pruned:
        """Remove entries, then the blobs that no entry names and what others left unfinished.

        It may run beside a grader: what is being put stays, or is written once more.

        Args:
            older_than: Remove entries put longer ago than this.
            keep_bytes: Keep the newest entries that together take no more than this.
            damaged: Remove entries that are damaged, or whose blobs are; reads every blob.
            dry_run: Remove nothing; say what would be removed.

        Returns:
            What was removed, or would be.

        Raises:
            StoreError: The store cannot be read or written.
        """
        with told(self.folder):
            doomed = pruning.doomed(self._index, older_than, keep_bytes)
            if damaged:
                doomed |= dict(ill_made(self._index))
                doomed |= dict(with_ill_blobs(self._index, self._blobs))
            if dry_run:
                return pruning.would_free(self._index, self._blobs, list(doomed))
            return pruning.remove(self._index, self._blobs, doomed)

    # -------------------------------------------------------------- taking it elsewhere

    def export(self, file: Path, keys: Sequence[str] | None = None) -> int:
        """Write entries into one zip archive, readable by anything that knows zip and JSON.

        ``index.json`` is an object: ``format`` is ``"keras-grader evidence"``, ``version`` is 1,
        ``entries`` is a list, newest first, of objects with ``key``, ``kind``, ``about``, ``made``
        (ISO 8601, UTC), ``facts`` (a SHA-256) and ``blobs`` (SHA-256 by name). The bytes of each
        SHA-256 are the member ``blobs/<sha256>``. Members are stored, not compressed.

        Args:
            file: The archive; one that is there is replaced when the new one is complete.
            keys: Which entries; all of them by default.

        Returns:
            How many entries were written.

        Raises:
            StoreError: An entry is not there, a blob is damaged, or the file cannot be written.
        """
        entries: Iterable[Entry] = self.entries()
        if keys is not None:
            found = self.get_many(keys)
            if lost := [key for key in keys if key not in found]:
                raise StoreError(
                    f"There is no entry {lost[0]} in the evidence store {self.folder}.",
                    remedy="See what there is: grader store list",
                )
            entries = found.values()
        return travel.pack(entries, self.blob, file)

    def merge(self, file: Path) -> int:
        """Take in the entries of an archive made by :meth:`export`, after looking at all of it.

        Whoever made the archive says what submissions did: take it from people you trust.

        Args:
            file: The archive.

        Returns:
            How many entries were new, or newer than what was there.

        Raises:
            StoreError: The archive is malformed, damaged or hostile, and nothing was taken in; or
                the store cannot be written.
        """
        taken = 0
        now = datetime.now(UTC)
        for entry, facts, blobs in travel.unpack(file):
            made = min(entry.made, now)
            here = self.get(entry.key)
            if here is None or here.made < made:
                self._put(entry.key, entry.kind, facts, blobs, entry.about, made)
                taken += 1
        return taken

    # -------------------------------------------------------------- putting

    def _put(
        self,
        key: str,
        kind: str,
        facts: bytes,
        blobs: Mapping[str, bytes],
        about: Mapping[str, str],
        made: datetime,
    ) -> Entry:
        if not SHA256.fullmatch(key) or not KIND.fullmatch(kind):
            raise ValueError(f"{key!r} is no 64 hex digits, or {kind!r} no short word")
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in blobs.items()}
        content = {hashes[name]: data for name, data in blobs.items()}
        named = as_json({name: [hashes[name], len(blobs[name])] for name in sorted(blobs)})
        row = row_of(key, kind, microseconds(made), as_json(dict(about)), named, facts)
        fresh: list[str] = []
        try:
            with told(self.folder):
                for sha256, data in content.items():
                    # Noted first: when the write fails at its very end, the file may be there.
                    fresh.append(sha256)
                    if not self._blobs.write(sha256, data):
                        fresh.pop()
                with self._index.writing() as turn:
                    for sha256, data in content.items():
                        # Somebody may have pruned it since. From here on nobody else can.
                        if not self._blobs.holds(sha256, len(data)):
                            self._blobs.write(sha256, data)
                    _enter(turn, row, content)
        except BaseException:
            self._take_back(fresh)
            raise
        return opened(row, named_by(row))

    def _take_back(self, fresh: Iterable[str]) -> None:
        """Remove the blobs of a ``put`` that failed: a full disk needs the room."""
        with contextlib.suppress(StoreError, OSError):
            pruning.remove_unnamed(self._index, self._blobs, fresh)

    # -------------------------------------------------------------- reading

    def _whole(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[Entry]:
        for row in rows:
            if not is_sealed(row):
                continue
            named = named_by(row)
            if all(self._blobs.holds(*blob) for blob in named.values()):
                yield opened(row, named)


def _enter(turn: sqlite3.Connection, row: Row, hashes: Iterable[str]) -> None:
    """Write a row in place of what was there under its key."""
    key = row[0]
    turn.execute("DELETE FROM entries WHERE key = ?", [key])
    places = ", ".join("?" * len(row))
    turn.execute(f"INSERT INTO entries ({COLUMNS}) VALUES ({places})", row)  # noqa: S608
    turn.executemany(
        "INSERT INTO uses (sha256, key) VALUES (?, ?)", [(sha256, key) for sha256 in hashes]
    )


# ------------------------------------------------------------------ the folder


def _is_new(folder: Path) -> bool:
    """Make the folder when it is not there; tell whether there is no store in it yet.

    Raises:
        StoreError: It holds something else.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    there = {path.name for path in folder.iterdir()}
    if NAME in there:
        return False
    if strangers := sorted(there - OURS):
        raise StoreError(
            f"{folder} is no evidence store: it holds {strangers[0]!r}.",
            remedy="Name an empty folder, or one that is not there yet.",
        )
    folder.chmod(0o700)
    return True
