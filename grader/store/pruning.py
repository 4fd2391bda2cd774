"""Removes entries, and after them the blobs that no entry names.

Entries go first, blobs after: a crash in between leaves blobs to sweep, and no entry short.
"""

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from grader.store.blobs import Blobs, is_blob, is_leftover
from grader.store.entries import Pruned
from grader.store.index import Index
from grader.store.rows import microseconds, named_in, portions, users

_GRACE_S = 3600.0
"""No ``put`` takes an hour: an older file that nobody names belongs to one that was killed."""


def doomed(index: Index, older_than: timedelta | None, keep_bytes: int | None) -> dict[str, int]:
    """Give the key and time of each entry that is too old or finds no room."""
    oldest = microseconds(datetime.now(UTC) - older_than) if older_than is not None else None
    found = {}
    seen: set[str] = set()
    total = 0
    query = "SELECT key, made, blobs, length(facts) FROM entries ORDER BY made DESC, key DESC"
    for key, made, blobs, size in index.read(query):
        named = dict(named_in(blobs).values())
        total += size + sum(named[sha256] for sha256 in named.keys() - seen)
        seen |= named.keys()
        is_old = oldest is not None and made < oldest
        finds_no_room = keep_bytes is not None and total > keep_bytes
        if is_old or finds_no_room:
            found[key] = made
    return found


def would_free(index: Index, files: Blobs, keys: Sequence[Any]) -> Pruned:
    """Say what the removal of entries would remove."""
    query = (
        "SELECT coalesce(sum(length(facts)), 0) FROM entries"
        " WHERE key IN (SELECT value FROM json_each(?))"
    )
    texts = [key for key in keys if isinstance(key, str)]  # a damaged one may be anything
    ((freed,),) = index.read(query, [json.dumps(texts)])
    gone = set(keys)
    used = users(index)
    kept = {sha256 for sha256, entries in used.items() if entries.keys() - gone}
    blobs = leftovers = 0
    for path, state in files.files():
        if is_blob(path) and path.name not in kept and (path.name in used or _is_abandoned(state)):
            blobs, freed = blobs + 1, freed + state.st_size
        elif is_leftover(path) and _is_abandoned(state):
            leftovers, freed = leftovers + 1, freed + state.st_size
    return Pruned(entries=len(keys), blobs=blobs, leftovers=leftovers, bytes=freed)


def remove(index: Index, files: Blobs, entries: Mapping[str, int]) -> Pruned:
    """Remove entries, given as key → time; one that was put anew since stays."""
    number, freed, lone = _remove_entries(index, entries)
    leftovers = 0
    used = users(index)
    for path, state in files.files():
        if not _is_abandoned(state):
            continue
        if is_blob(path) and path.name not in used:
            lone.add(path.name)
        elif is_leftover(path):
            leftovers, freed = leftovers + 1, freed + (remove_file(path) or 0)
    blobs, bytes_of_blobs = remove_unnamed(index, files, lone)
    index.shrink()
    return Pruned(entries=number, blobs=blobs, leftovers=leftovers, bytes=freed + bytes_of_blobs)


def _remove_entries(index: Index, entries: Mapping[str, int]) -> tuple[int, int, set[str]]:
    """Remove entries; give their number, the bytes of their facts, and the blobs they named."""
    number = freed = 0
    lone: set[str] = set()
    for some in portions(list(entries.items())):
        with index.writing() as turn:
            for key, made in some:
                query = "SELECT length(facts) FROM entries WHERE key = ? AND made = ?"
                row = turn.execute(query, [key, made]).fetchone()
                if row is None:
                    continue
                named = turn.execute("SELECT sha256 FROM uses WHERE key = ?", [key])
                lone |= {sha256 for (sha256,) in named}
                turn.execute("DELETE FROM entries WHERE key = ?", [key])
                number, freed = number + 1, freed + row[0]
    return number, freed, lone


def remove_unnamed(index: Index, files: Blobs, hashes: Iterable[str]) -> tuple[int, int]:
    """Remove those of some blobs that no entry names; give their number and bytes."""
    blobs = freed = 0
    for some in portions(sorted(hashes)):
        # Inside a turn nobody can name one of them.
        with index.writing() as turn:
            for sha256 in some:
                query = "SELECT EXISTS (SELECT 1 FROM uses WHERE sha256 = ?)"
                (used,) = turn.execute(query, [sha256]).fetchone()
                size = None if used else remove_file(files.path(sha256))
                if size is not None:
                    blobs, freed = blobs + 1, freed + size
    return blobs, freed


def remove_file(path: Path) -> int | None:
    """Remove a file.

    Returns:
        Its size, or nothing when it was not there.
    """
    try:
        size = path.lstat().st_size
        path.unlink()
    except FileNotFoundError:
        return None
    return size


def _is_abandoned(state: os.stat_result) -> bool:
    return time.time() - state.st_mtime > _GRACE_S
