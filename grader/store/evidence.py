"""Evidence, kept: facts in an index, everything large in files named by their content."""

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import platformdirs

from grader.errors import StoreError
from grader.store import travel
from grader.store.blobs import SHA256, Blobs, is_blob, is_leftover, sync_folder
from grader.store.entries import KIND, Entry, Problem, Pruned
from grader.store.faults import ruined, told
from grader.store.index import NAME, Index

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 100
"""Entries looked at, or removed, at a time: nobody has to wait long for the next turn."""
_GRACE_S = 3600.0
"""No ``put`` takes an hour: an older file that nobody names belongs to one that was killed."""
_OURS = frozenset({"blobs", "lock", NAME, f"{NAME}-wal", f"{NAME}-shm", f"{NAME}-journal"})
_ROW = "key, kind, made, about, blobs, seal, facts"
_SWEEP = "Sweep it away: grader store prune"
_DROP = "Drop what is damaged; it is made anew when it is next wanted: grader store prune --damaged"


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
            f"SELECT {_ROW} FROM entries WHERE key IN (SELECT value FROM json_each(?))",  # noqa: S608
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

        What was kept under the key before is replaced. To put the same again changes nothing.

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
        for rows in self._pages():
            yield from self._whole(rows)

    # -------------------------------------------------------------- looking after it

    def verify(self) -> Iterator[Problem]:
        """Look at everything, read every blob, and tell what is not as it should be.

        Whatever is being put meanwhile may show up as a leftover.
        """
        try:
            with told(self.folder):
                yield from self._exposed()
                for (line,) in self._index.read("PRAGMA integrity_check"):
                    if line != "ok":
                        raise ruined(self.folder, line)
                yield from self._damaged_entries()
                yield from self._damaged_blobs()
                yield from self._strangers()
        except StoreError as error:
            yield Problem(what=error.message, where=self.folder / NAME, remedy=error.remedy)

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
            doomed = self._doomed(older_than, keep_bytes)
            if damaged:
                doomed |= dict(self._ill_made()) | dict(self._with_ill_blobs())
            if dry_run:
                return self._would_free(list(doomed))
            return self._remove(doomed)

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
        named = _json({name: [hashes[name], len(blobs[name])] for name in sorted(blobs)})
        told_about = _json(dict(about))
        fresh: list[str] = []
        try:
            with told(self.folder):
                for sha256, data in content.items():
                    # Noted first: when the write fails at its very end, the file may be there.
                    fresh.append(sha256)
                    if not self._blobs.write(sha256, data):
                        fresh.pop()
                with self._index.writing() as index:
                    for sha256, data in content.items():
                        # Somebody may have pruned it since. From here on nobody else can.
                        if not self._blobs.holds(sha256, len(data)):
                            self._blobs.write(sha256, data)
                    query = f"SELECT {_ROW} FROM entries WHERE key = ?"  # noqa: S608
                    before = index.execute(query, [key]).fetchone()
                    row = _row(key, kind, before[2] if before else 0, told_about, named, facts)
                    if row != before:
                        row = _row(key, kind, _microseconds(made), told_about, named, facts)
                        index.execute("DELETE FROM entries WHERE key = ?", [key])
                        index.execute(f"INSERT INTO entries ({_ROW}) VALUES (?,?,?,?,?,?,?)", row)  # noqa: S608
                        index.executemany(
                            "INSERT INTO uses (sha256, key) VALUES (?, ?)",
                            [(sha256, key) for sha256 in content],
                        )
        except BaseException:
            self._take_back(fresh)
            raise
        return _opened(row, _named(row))

    def _take_back(self, fresh: Iterable[str]) -> None:
        """Remove the blobs of a ``put`` that failed: a full disk needs the room."""
        with contextlib.suppress(StoreError, OSError):
            self._unname(fresh)

    def _unname(self, hashes: Iterable[str]) -> tuple[int, int]:
        """Remove those of some blobs that no entry names; give their number and bytes."""
        blobs = freed = 0
        for some in _portions(list(hashes)):
            with self._index.writing() as index:
                for sha256 in some:
                    query = "SELECT EXISTS (SELECT 1 FROM uses WHERE sha256 = ?)"
                    (used,) = index.execute(query, [sha256]).fetchone()
                    size = None if used else self._blobs.remove(self._blobs.path(sha256))
                    if size is not None:
                        blobs, freed = blobs + 1, freed + size
        return blobs, freed

    # -------------------------------------------------------------- reading

    def _pages(self) -> Iterator[list[tuple[Any, ...]]]:
        # Page by page, newest first: what is put or pruned meanwhile moves no page.
        last: tuple[int, str] = (1 << 62, "")
        while rows := self._index.read(
            f"SELECT {_ROW} FROM entries WHERE (made, key) < (?, ?)"  # noqa: S608
            " ORDER BY made DESC, key DESC LIMIT ?",
            [*last, _PAGE],
        ):
            last = (rows[-1][2], rows[-1][0])
            yield rows

    def _whole(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[Entry]:
        for row in rows:
            if not _is_sealed(row):
                continue
            named = _named(row)
            if all(self._blobs.holds(*blob) for blob in named.values()):
                yield _opened(row, named)

    # -------------------------------------------------------------- verifying

    def _problem(self, what: str, where: Path) -> Problem:
        return Problem(what=what, where=where, remedy=_DROP)

    def _exposed(self) -> Iterator[Problem]:
        mode = stat.S_IMODE(self.folder.stat().st_mode)
        if mode & 0o077:
            yield Problem(
                what=f"Others may enter {self.folder}, which holds students' work (mode {mode:o}).",
                where=self.folder,
                remedy=f"Close it: chmod 700 '{self.folder}'",
            )

    def _ill_made(self) -> Iterator[tuple[str, int]]:
        """Give the key and time of each entry whose row is not what was written."""
        for rows in self._pages():
            for row in rows:
                if not _is_sealed(row):
                    yield row[0], row[2]

    def _with_ill_blobs(self) -> Iterator[tuple[str, int]]:
        """Give the key and time of each entry that names a blob which is missing or damaged."""
        for sha256, users in self._users().items():
            if not self._blobs.is_sound(sha256):
                yield from users.items()

    def _damaged_entries(self) -> Iterator[Problem]:
        for key, _ in self._ill_made():
            yield self._problem(f"The entry {key} is damaged.", self.folder / NAME)
        named = {
            (sha256, row[0])
            for rows in self._pages()
            for row in rows
            for sha256, _ in _named(row).values()
        }
        known = set(self._index.read("SELECT sha256, key FROM uses"))
        # Both looks may fall before and after somebody's `put`: only what stays is wrong.
        for sha256, key in sorted(named ^ known):
            rows = self._index.read(f"SELECT {_ROW} FROM entries WHERE key = ?", [key])  # noqa: S608
            now = {sha256 for row in rows for sha256, _ in _named(row).values()}
            query = "SELECT EXISTS (SELECT 1 FROM uses WHERE sha256 = ? AND key = ?)"
            if (sha256 in now) != bool(self._index.read(query, [sha256, key])[0][0]):
                yield self._problem(
                    f"The index contradicts itself about the blobs of the entry {key}.",
                    self.folder / NAME,
                )

    def _damaged_blobs(self) -> Iterator[Problem]:
        for sha256, users in self._users().items():
            if self._blobs.is_sound(sha256):
                continue
            query = "SELECT EXISTS (SELECT 1 FROM uses WHERE sha256 = ?)"
            if not self._index.read(query, [sha256])[0][0]:
                continue  # pruned meanwhile
            path = self._blobs.path(sha256)
            state = "damaged: its hash differs" if path.is_file() else "missing"
            keys = ", ".join(f"{key[:12]}…" for key in sorted(users))
            yield self._problem(f"The blob {path} is {state}. It belongs to {keys}.", path)

    def _strangers(self) -> Iterator[Problem]:
        for path in sorted(self.folder.iterdir()):
            if path.name not in _OURS:
                yield self._unknown(path)
        used = self._used()
        for path, state in self._blobs.files():
            plain = stat.S_ISREG(state.st_mode)
            if plain and is_blob(path):
                if path.name not in used:
                    what = f"No entry names the blob {path}."
                    yield Problem(what=what, where=path, remedy=_SWEEP, sweepable=True)
            elif plain and is_leftover(path):
                what = f"{path} was not finished."
                yield Problem(what=what, where=path, remedy=_SWEEP, sweepable=True)
            else:
                yield self._unknown(path)

    def _unknown(self, path: Path) -> Problem:
        return Problem(
            what=f"{path} is none of the store's files.",
            where=path,
            remedy="Move it elsewhere.",
        )

    def _used(self) -> set[str]:
        return {sha256 for (sha256,) in self._index.read("SELECT DISTINCT sha256 FROM uses")}

    def _users(self) -> dict[str, dict[str, int]]:
        """Give the entries that name a blob, key → time, by blob."""
        found: dict[str, dict[str, int]] = {}
        query = "SELECT sha256, key, made FROM uses JOIN entries USING (key)"
        for sha256, key, made in self._index.read(query):
            found.setdefault(sha256, {})[key] = made
        return found

    # -------------------------------------------------------------- pruning

    def _doomed(self, older_than: timedelta | None, keep_bytes: int | None) -> dict[str, int]:
        """Give the key and time of each entry that is too old or finds no room."""
        oldest = _microseconds(datetime.now(UTC) - older_than) if older_than is not None else None
        doomed = {}
        seen: set[str] = set()
        total = 0
        query = "SELECT key, made, blobs, length(facts) FROM entries ORDER BY made DESC, key DESC"
        for key, made, blobs, size in self._index.read(query):
            named = dict(_named_in(blobs).values())
            total += size + sum(named[sha256] for sha256 in named.keys() - seen)
            seen |= named.keys()
            is_old = oldest is not None and made < oldest
            finds_no_room = keep_bytes is not None and total > keep_bytes
            if is_old or finds_no_room:
                doomed[key] = made
        return doomed

    def _would_free(self, doomed: Sequence[str]) -> Pruned:
        query = (
            "SELECT coalesce(sum(length(facts)), 0) FROM entries"
            " WHERE key IN (SELECT value FROM json_each(?))"
        )
        ((freed,),) = self._index.read(query, [json.dumps(doomed)])
        gone = set(doomed)
        kept = {blob for blob, users in self._users().items() if users.keys() - gone}
        lone = self._used() - kept
        blobs = leftovers = 0
        for path, state in self._blobs.files():
            if is_blob(path) and (path.name in lone or self._is_orphan(path, state, kept)):
                blobs, freed = blobs + 1, freed + state.st_size
            elif is_leftover(path) and _is_abandoned(state):
                leftovers, freed = leftovers + 1, freed + state.st_size
        return Pruned(entries=len(doomed), blobs=blobs, leftovers=leftovers, bytes=freed)

    def _is_orphan(self, path: Path, state: os.stat_result, used: set[str]) -> bool:
        return path.name not in used and _is_abandoned(state)

    def _remove(self, doomed: Mapping[str, int]) -> Pruned:
        entries = freed = 0
        lone: set[str] = set()
        for some in _portions(list(doomed.items())):
            with self._index.writing() as index:
                for key, made in some:
                    query = "SELECT length(facts) FROM entries WHERE key = ? AND made = ?"
                    row = index.execute(query, [key, made]).fetchone()
                    if row is None:
                        continue  # put anew since we looked
                    named = index.execute("SELECT sha256 FROM uses WHERE key = ?", [key])
                    lone |= {sha256 for (sha256,) in named}
                    index.execute("DELETE FROM entries WHERE key = ?", [key])
                    entries, freed = entries + 1, freed + row[0]
        # Entries first, blobs after: a crash in between leaves blobs to sweep, and no entry short.
        used = self._used()
        leftovers = 0
        for path, state in self._blobs.files():
            if is_blob(path) and self._is_orphan(path, state, used):
                lone.add(path.name)
            elif is_leftover(path) and _is_abandoned(state):
                size = self._blobs.remove(path)
                leftovers, freed = leftovers + 1, freed + (size or 0)
        blobs, bytes_of_blobs = self._unname(sorted(lone))
        self._index.shrink()
        return Pruned(
            entries=entries, blobs=blobs, leftovers=leftovers, bytes=freed + bytes_of_blobs
        )


# ------------------------------------------------------------------ rows


def _row(
    key: str, kind: str, made: int, about: bytes, blobs: bytes, facts: bytes
) -> tuple[str, str, int, bytes, bytes, bytes, bytes]:
    seal = hashlib.sha256(facts)
    for part in (key.encode(), kind.encode(), str(made).encode(), about, blobs):
        seal.update(b"%d:%b" % (len(part), part))
    return key, kind, made, about, blobs, seal.digest(), facts


def _is_sealed(row: tuple[Any, ...]) -> bool:
    """Tell whether a row is what was written."""
    key, kind, made, about, blobs, _, facts = row
    with contextlib.suppress(AttributeError, TypeError, ValueError):
        return row == _row(key, kind, made, about, blobs, facts)
    return False


def _opened(row: tuple[Any, ...], named: Mapping[str, tuple[str, int]]) -> Entry:
    key, kind, made, about, _, _, facts = row
    return Entry(
        key=key,
        kind=kind,
        facts=facts,
        blobs={name: sha256 for name, (sha256, _) in named.items()},
        about=json.loads(about),
        made=_EPOCH + timedelta(microseconds=made),
        size=len(facts) + sum(dict(named.values()).values()),
    )


def _named(row: tuple[Any, ...]) -> dict[str, tuple[str, int]]:
    return _named_in(row[4])


def _named_in(blobs: Any) -> dict[str, tuple[str, int]]:
    """Give hash and size of each blob by its name; nothing where the row is damaged."""
    with contextlib.suppress(AttributeError, TypeError, ValueError):
        items = json.loads(blobs).items()
        return {name: (str(sha256), int(size)) for name, (sha256, size) in items}
    return {}


def _json(value: Any) -> bytes:
    # ASCII, because a file's name may hold bytes that are no text.
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _portions(things: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(things), _PAGE):
        yield things[start : start + _PAGE]


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
    if strangers := sorted(there - _OURS):
        raise StoreError(
            f"{folder} is no evidence store: it holds {strangers[0]!r}.",
            remedy="Name an empty folder, or one that is not there yet.",
        )
    folder.chmod(0o700)
    return True


def _is_abandoned(state: os.stat_result) -> bool:
    return time.time() - state.st_mtime > _GRACE_S
