"""What the evidence store gives back: entries, problems, and what was pruned."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

KIND = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
"""What the kind of an entry looks like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known under one key."""

    key: str
    """64 hex digits: the hash of all that could change what is kept here."""
    kind: str
    """A short word, e.g. ``"run"`` or ``"judgement"``."""
    facts: bytes
    """JSON, made by the caller."""
    blobs: Mapping[str, str]
    """Name → SHA-256 of the blob's bytes."""
    about: Mapping[str, str]
    """For people: student, origin, assignment, … It may hold anything a student can write."""
    made: datetime
    """When it was put, UTC."""
    size: int = 0
    """Bytes of its facts and blobs; blobs are shared between entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something in the store that is not as it should be."""

    what: str
    """A sentence."""
    where: Path
    """The file or folder."""
    remedy: str
    """What to type next."""
    sweepable: bool = False
    """A leftover that harms nothing and that ``prune`` removes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What ``prune`` removed, or would remove."""

    entries: int
    """Entries removed."""
    blobs: int
    """Blobs removed, because no entry names them."""
    leftovers: int
    """Unfinished files removed."""
    bytes: int
    """Bytes freed: facts, blobs and unfinished files."""
