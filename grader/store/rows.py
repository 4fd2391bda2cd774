"""An entry as the database has it: a row, and a seal over all of it."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from grader.store.entries import Entry
from grader.store.index import Index

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 100
"""Entries looked at, or removed, at a time: nobody has to wait long for the next turn."""

COLUMNS = "key, kind, made, about, blobs, seal, facts"
"""In the order of a row."""

Row = tuple[str, str, int, bytes, bytes, bytes, bytes]


def row_of(key: str, kind: str, made: int, about: bytes, blobs: bytes, facts: bytes) -> Row:
    """Make a row, sealed."""
    seal = hashlib.sha256(facts)
    for part in (key.encode(), kind.encode(), str(made).encode(), about, blobs):
        seal.update(b"%d:%b" % (len(part), part))
    return key, kind, made, about, blobs, seal.digest(), facts


def is_sealed(row: tuple[Any, ...]) -> bool:
    """Tell whether a row is what was written."""
    key, kind, made, about, blobs, _, facts = row
    with contextlib.suppress(AttributeError, TypeError, ValueError):
        return row == row_of(key, kind, made, about, blobs, facts)
    return False


def opened(row: tuple[Any, ...], named: Mapping[str, tuple[str, int]]) -> Entry:
    """Give a sealed row as an entry."""
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


def named_by(row: tuple[Any, ...]) -> dict[str, tuple[str, int]]:
    """Give hash and size of each blob of a row by its name; nothing where it is damaged."""
    return named_in(row[4])


def named_in(blobs: Any) -> dict[str, tuple[str, int]]:
    """Do the same for the one column that says so."""
    with contextlib.suppress(AttributeError, OverflowError, RecursionError, TypeError, ValueError):
        items = json.loads(blobs).items()
        return {name: (str(sha256), int(size)) for name, (sha256, size) in items}
    return {}


def as_json(value: Any) -> bytes:
    """Write a column: in ASCII, because a file's name may hold bytes that are no text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def microseconds(moment: datetime) -> int:
    """Give a moment as the database has it."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def pages(index: Index) -> Iterator[list[tuple[Any, ...]]]:
    """Give all rows, newest first, a few at a time; what changes meanwhile moves no page."""
    last: tuple[int, str] = (1 << 62, "")
    while rows := index.read(
        f"SELECT {COLUMNS} FROM entries WHERE (made, key) < (?, ?)"  # noqa: S608 - our own words
        " ORDER BY made DESC, key DESC LIMIT ?",
        [*last, _PAGE],
    ):
        last = (rows[-1][2], rows[-1][0])
        yield rows


def users(index: Index) -> dict[str, dict[str, int]]:
    """Give the entries that name a blob, key → time, by blob."""
    found: dict[str, dict[str, int]] = {}
    query = "SELECT sha256, key, made FROM uses JOIN entries USING (key)"
    for sha256, key, made in index.read(query):
        found.setdefault(sha256, {})[key] = made
    return found


def portions(things: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Cut a long list into pieces that one turn can take."""
    for start in range(0, len(things), _PAGE):
        yield things[start : start + _PAGE]
