"""Looks at everything in a store, and tells what is not as it should be."""

import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from grader.errors import StoreError
from grader.store.blobs import Blobs, is_blob, is_leftover
from grader.store.entries import Problem
from grader.store.faults import ruined, told
from grader.store.index import NAME, Index
from grader.store.rows import COLUMNS, is_sealed, named_by, pages, users

OURS = frozenset({"blobs", "lock", NAME, f"{NAME}-wal", f"{NAME}-shm", f"{NAME}-journal"})
"""What lies in a store's folder."""

_SWEEP = "Sweep it away: grader store prune"
_DROP = "Drop what is damaged; it is made anew when it is next wanted: grader store prune --damaged"


def problems(folder: Path, index: Index, blobs: Blobs) -> Iterator[Problem]:
    """Look at the folder, the index, every entry and every byte of every blob."""
    try:
        with told(folder):
            yield from _exposed(folder)
            for (line,) in index.read("PRAGMA integrity_check"):
                if line != "ok":
                    raise ruined(folder, line)
            yield from _damaged_entries(folder, index)
            yield from _damaged_blobs(index, blobs)
            yield from _strangers(folder, index, blobs)
    except StoreError as error:
        yield Problem(what=error.message, where=folder / NAME, remedy=error.remedy)


def ill_made(index: Index) -> Iterator[tuple[str, int]]:
    """Give the key and time of each entry whose row is not what was written."""
    for rows in pages(index):
        for row in rows:
            if not is_sealed(row):
                yield row[0], row[2]


def with_ill_blobs(index: Index, blobs: Blobs) -> Iterator[tuple[str, int]]:
    """Give the key and time of each entry that names a blob which is missing or damaged."""
    for sha256, entries in users(index).items():
        if not blobs.is_sound(sha256):
            yield from entries.items()


def _damaged(what: str, where: Path) -> Problem:
    return Problem(what=what, where=where, remedy=_DROP)


def _exposed(folder: Path) -> Iterator[Problem]:
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        yield Problem(
            what=f"Others may enter {folder}, which holds students' work (mode {mode:o}).",
            where=folder,
            remedy=f"Close it: chmod 700 {shlex.quote(str(folder))}",
        )


def _damaged_entries(folder: Path, index: Index) -> Iterator[Problem]:
    for key, _ in ill_made(index):
        yield _damaged(f"The entry {key} is damaged.", folder / NAME)
    named = {
        (sha256, row[0])
        for rows in pages(index)
        for row in rows
        for sha256, _ in named_by(row).values()
    }
    known = set(index.read("SELECT sha256, key FROM uses"))
    # Both looks may fall before and after somebody's `put`: only what stays is wrong.
    # A key that somebody wrote there may be no text.
    for sha256, key in sorted(named ^ known, key=repr):
        rows = index.read(f"SELECT {COLUMNS} FROM entries WHERE key = ?", [key])  # noqa: S608
        now = {sha256 for row in rows for sha256, _ in named_by(row).values()}
        query = "SELECT EXISTS (SELECT 1 FROM uses WHERE sha256 = ? AND key = ?)"
        if (sha256 in now) != bool(index.read(query, [sha256, key])[0][0]):
            yield _damaged(
                f"The index contradicts itself about the blobs of the entry {key}.", folder / NAME
            )


def _damaged_blobs(index: Index, blobs: Blobs) -> Iterator[Problem]:
    for sha256, entries in users(index).items():
        if blobs.is_sound(sha256):
            continue
        query = "SELECT EXISTS (SELECT 1 FROM uses WHERE sha256 = ?)"
        if not index.read(query, [sha256])[0][0]:
            continue  # pruned meanwhile
        path = blobs.path(sha256)
        state = "damaged: its hash differs" if path.is_file() else "missing"
        keys = ", ".join(f"{key[:12]}…" for key in sorted(map(str, entries)))
        yield _damaged(f"The blob {path} is {state}. It belongs to {keys}.", path)


def _strangers(folder: Path, index: Index, blobs: Blobs) -> Iterator[Problem]:
    for path in sorted(folder.iterdir()):
        if path.name not in OURS:
            yield _unknown(path)
    files = list(blobs.files())
    # Asked after the look, so that what was put meanwhile is known.
    used = users(index)
    for path, state in files:
        plain = stat.S_ISREG(state.st_mode)
        if plain and is_blob(path):
            if path.name not in used:
                yield _leftover(f"No entry names the blob {path}.", path)
        elif plain and is_leftover(path):
            yield _leftover(f"{path} was not finished.", path)
        else:
            yield _unknown(path)


def _leftover(what: str, path: Path) -> Problem:
    return Problem(what=what, where=path, remedy=_SWEEP, sweepable=True)


def _unknown(path: Path) -> Problem:
    return Problem(
        what=f"{path} is none of the store's files.", where=path, remedy="Move it elsewhere."
    )
