"""What single cells did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grader.records.words import CellOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorFacts:
    """An exception in the student's code, in the student's terms."""

    kind: str
    """The exception's class, e.g. ``"ValueError"``."""
    message: str
    """Its text."""
    line: int | None
    """Line within the cell, counted from 1."""
    traceback: str
    """The frames that are the student's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRecord:
    """What one code cell did."""

    number: int
    """Counted from 1, code cells only."""
    outcome: CellOutcome
    """What became of it."""
    seconds: float
    """Wall time."""
    error: ErrorFacts | None = None
    """The exception, when it raised."""
    outputs: tuple[Mapping[str, Any], ...] = ()
    """Notebook outputs (format 4)."""
