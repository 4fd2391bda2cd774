"""A data set as bytes, for a machine that does not have it: what is served and what is asked.

The labels are in neither, and a data set that was unpacked has none to give.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.datasets import Dataset, Source
from grader.errors import DataError

_PASSABLE = 0o711
_OPEN = 0o755
_CLOSED = 0o700
_EXTRA = "extra/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A data set, packed."""

    name: str
    """What Keras calls it."""
    source: Source
    """Where it came from."""
    description: str
    """What it is and whence."""
    verified: bool
    """Whether a hash proves that it is the original."""
    digest: str
    """The SHA-256 of its content."""
    served_sha256: tuple[str, ...]
    """The hashes that Keras is told to trust."""
    train_facts: Mapping[str, float]
    """Facts of the training inputs."""
    served: Mapping[str, bytes] = field(repr=False)
    """The files that students see, by their paths in the folder."""
    held_out: Mapping[str, bytes] = field(repr=False)
    """The held-out inputs, by name."""
    extra: Mapping[str, bytes] = field(repr=False)
    """The inputs of the extra set, by name; nothing where there is none."""
    sha256: Mapping[str, str] = field(repr=False)
    """The hash of each file above; of the extra set, below ``extra/``."""


def pack(dataset: Dataset) -> Parcel:
    """Read a data set's files, but for its labels."""
    served, held_out = _read(dataset.served), _read(dataset.held_out)
    extra = _read(dataset.extra.held_out) if dataset.extra else {}
    every = {**served, **held_out, **{f"{_EXTRA}{name}": data for name, data in extra.items()}}
    return Parcel(
        name=dataset.name,
        source=dataset.source,
        description=dataset.description,
        verified=dataset.verified,
        digest=dataset.digest,
        served_sha256=dataset.served_sha256,
        train_facts=dict(dataset.train_facts),
        served=served,
        held_out=held_out,
        extra=extra,
        sha256={name: _hash(data) for name, data in every.items()},
    )


def unpack(parcel: Parcel, folder: Path) -> Dataset:
    """Lay a data set into a folder of this machine.

    Args:
        parcel: What came.
        folder: A private folder; another user, as whom student code runs, gets to what is served
            and to nothing else.

    Raises:
        DataError: A file is not what was sent, or cannot be written.
    """
    served, held_out, extra = folder / "a", folder / "b", folder / "c"
    try:
        folder.chmod(_PASSABLE)
        for place, files, mode, prefix in (
            (served, parcel.served, _OPEN, ""),
            (held_out, parcel.held_out, _CLOSED, ""),
            (extra, parcel.extra, _CLOSED, _EXTRA),
        ):
            place.mkdir()
            place.chmod(mode)
            for name, data in files.items():
                if _hash(data) != parcel.sha256[f"{prefix}{name}"]:
                    raise DataError(f"{name} of {parcel.name} was damaged on its way.")
                file = _below(place, name)
                file.write_bytes(data)
                file.chmod(0o644)
    except OSError as error:
        raise DataError(f"{parcel.name} cannot be written to {folder}: {error.strerror}.") from None
    dataset = Dataset(
        name=parcel.name,
        source=parcel.source,
        description=parcel.description,
        verified=parcel.verified,
        digest=parcel.digest,
        served=served,
        served_sha256=parcel.served_sha256,
        held_out=held_out,
        train_facts=parcel.train_facts,
        labels_file=folder / "there-are-none",
        labels_sha256="",
    )
    second = replace(dataset, held_out=extra) if parcel.extra else None
    return replace(dataset, extra=second)


def _read(folder: Path) -> dict[str, bytes]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def _below(place: Path, name: str) -> Path:
    """Give a file's place and make the folders it lies in; no name leads out of the place."""
    *folders, last = (part for part in Path(name).parts if part not in {"/", ".."})
    for folder in folders:
        place /= folder
        place.mkdir(exist_ok=True)
        place.chmod(_OPEN)
    return place / last


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
