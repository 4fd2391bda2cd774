"""What was handed in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One student's work, read but not run."""

    student: str
    """Who handed it in: unique in its batch, safe as a folder name."""
    origin: str
    """The path it came from, for people."""
    kind: Literal["notebook", "script"]
    """How it is run: cell after cell, or from top to bottom."""
    cells: tuple[str, ...] = ()
    """The source of each code cell; a script without cell marks is one cell."""
    notebook: Mapping[str, Any] = field(default_factory=dict)
    """The notebook as read (format 4, outputs dropped); for a script, one made of its cells."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Files handed in beside it, by relative POSIX path."""
    problem: str = ""
    """Why it cannot be run; empty when it can."""
    notes: tuple[str, ...] = ()
    """What was noticed while reading it."""
