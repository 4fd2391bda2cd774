"""Evidence in one zip archive: written plainly, read as if a stranger had made it."""

import contextlib
import hashlib
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from grader.errors import StoreError
from grader.safe.unzip import UNZIP_ERRORS
from grader.store.blobs import SHA256, sync_folder
from grader.store.entries import KIND, Entry

_FORMAT = "keras-grader evidence"
_VERSION = 1
_INDEX = "index.json"
_MEMBER = re.compile(r"index\.json|blobs/[0-9a-f]{64}")
_MIB = 1 << 20
_LARGEST_INDEX = 256 * _MIB
_LARGEST_BLOB = 2048 * _MIB
_HIGHEST_RATIO = 20
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


@dataclass(frozen=True, slots=True)
class _Listed:
    """An entry as ``index.json`` has it."""

    key: str
    kind: str
    about: dict[str, str]
    made: datetime
    facts: str
    blobs: dict[str, str]


def pack(entries: Iterable[Entry], read: Callable[[str], bytes], file: Path) -> int:
    """Write entries into an archive.

    Args:
        entries: What to write.
        read: Gives the bytes of a blob by its hash.
        file: The archive; replaced when the new one is complete.

    Returns:
        How many there were.

    Raises:
        StoreError: A blob is damaged, or the file cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".", suffix=".zip", dir=file.absolute().parent)
    except OSError as error:
        raise _unwritable(file, error) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            listing = _pack(entries, read, stream)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(file)
        sync_folder(file.absolute().parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        if isinstance(error, OSError):
            raise _unwritable(file, error) from error
        raise
    return len(listing)


def _pack(
    entries: Iterable[Entry], read: Callable[[str], bytes], stream: Any
) -> list[dict[str, Any]]:
    listing = []
    written = set()
    # Stored, not deflated: models are compressed already, and what unpacks to its own size can
    # be no bomb, so reading can be strict.
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for entry in entries:
            facts = hashlib.sha256(entry.facts).hexdigest()
            for sha256 in (facts, *entry.blobs.values()):
                if sha256 not in written:
                    data = entry.facts if sha256 == facts else read(sha256)
                    archive.writestr(_member(f"blobs/{sha256}"), data)
                    written.add(sha256)
            listing.append({
                "key": entry.key,
                "kind": entry.kind,
                "about": dict(entry.about),
                "made": entry.made.isoformat(),
                "facts": facts,
                "blobs": dict(entry.blobs),
            })  # fmt: skip
        index = {"format": _FORMAT, "version": _VERSION, "entries": listing}
        archive.writestr(_member(_INDEX), json.dumps(index, indent=1))
    return listing


def _member(name: str) -> zipfile.ZipInfo:
    # With the same date always: the same evidence gives the same archive.
    member = zipfile.ZipInfo(name)
    member.external_attr = 0o600 << 16
    return member


def _unwritable(file: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{file} cannot be written: {error.strerror or error}.",
        remedy="Name a file in a folder of your own, on a disk with room.",
    )


def unpack(file: Path) -> Iterator[tuple[Entry, bytes, dict[str, bytes]]]:
    """Look at all of an archive, then give its entries, each with its facts and blobs.

    Raises:
        StoreError: It is malformed, damaged or hostile; then no entry is given.
    """
    if not file.is_file():
        raise StoreError(
            f"{file}: there is no such file.", remedy="Name one that `grader store export` wrote."
        )
    try:
        with file.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            members = _members(file, archive, os.fstat(stream.fileno()).st_size)
            listing = _listing(file, _read(file, archive, members, _INDEX))
            wanted = {sha256 for one in listing for sha256 in (one.facts, *one.blobs.values())}
            for sha256 in wanted:
                _compare(file, archive, members, sha256)
            for one in listing:
                blobs = {
                    name: _read(file, archive, members, f"blobs/{sha256}")
                    for name, sha256 in one.blobs.items()
                }
                facts = _read(file, archive, members, f"blobs/{one.facts}")
                entry = Entry(
                    key=one.key,
                    kind=one.kind,
                    facts=facts,
                    blobs=one.blobs,
                    about=one.about,
                    made=one.made,
                )
                yield entry, facts, blobs
    except UNZIP_ERRORS as error:
        _refuse(file, f"it cannot be read as a zip archive ({error})")


def _refuse(file: Path, why: str) -> NoReturn:
    raise StoreError(
        f"{file} is not taken in: {why}.",
        remedy="Only what `grader store export` wrote can be imported. Export it once more.",
    )


def _members(file: Path, archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for member in archive.infolist():
        name = member.filename
        if not _MEMBER.fullmatch(name):
            _refuse(file, f"it holds {name[:80]!r}, which an export does not")
        if name in members:
            _refuse(file, f"it holds {name!r} twice")
        largest = _LARGEST_INDEX if name == _INDEX else _LARGEST_BLOB
        if member.file_size > largest:
            _refuse(file, f"{name} is larger than {largest // _MIB} MiB")
        if member.compress_type not in _METHODS or member.flag_bits & 1:
            _refuse(file, f"{name} is packed in a way that an export does not use")
        total += member.file_size
        members[name] = member
    # Over all, by the real size of the file: members may claim to lie on top of each other.
    if total > max(_MIB, _HIGHEST_RATIO * size):
        _refuse(file, "it is a compression bomb")
    return members


def _take(
    file: Path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str
) -> Iterator[bytes]:
    """Give a member's bytes piece by piece, never more than it claimed."""
    if name not in members:
        _refuse(file, f"it lacks {name}")
    left = members[name].file_size
    with archive.open(members[name]) as stream:
        while piece := stream.read(_MIB):
            left -= len(piece)
            if left < 0:
                _refuse(file, f"{name} is larger than it claims")
            yield piece


def _read(
    file: Path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str
) -> bytes:
    return b"".join(_take(file, archive, members, name))


def _compare(
    file: Path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], sha256: str
) -> None:
    found = hashlib.sha256()
    for piece in _take(file, archive, members, f"blobs/{sha256}"):
        found.update(piece)
    if found.hexdigest() != sha256:
        _refuse(file, f"the bytes of blobs/{sha256} do not have that hash")


def _listing(file: Path, text: bytes) -> list[_Listed]:
    # Here, not above: it takes longer to import than all else in the store.
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415

    try:
        index = json.loads(text)
        if not isinstance(index, dict) or index.get("format") != _FORMAT:
            _refuse(file, f"its {_INDEX} does not call itself {_FORMAT!r}")
        if index.get("version") != _VERSION:
            _refuse(file, f"it has version {index.get('version')!r:.20}; this grader knows 1")
        listing = TypeAdapter(list[_Listed]).validate_python(index.get("entries"))
    except (ValidationError, RecursionError, ValueError) as error:
        _refuse(file, f"its {_INDEX} is malformed ({str(error).splitlines()[0]})")
    for one in listing:
        if not all(map(SHA256.fullmatch, (one.key, one.facts, *one.blobs.values()))):
            _refuse(file, f"its {_INDEX} has a key or a hash that is none")
        if not KIND.fullmatch(one.kind):
            _refuse(file, f"its {_INDEX} has a kind that is no short word")
        if one.made.tzinfo is None or one.made < _EARLIEST:
            _refuse(file, f"its {_INDEX} has a time that is none")
    if len({one.key for one in listing}) != len(listing):
        _refuse(file, f"its {_INDEX} has a key twice")
    return listing
