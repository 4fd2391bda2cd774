"""What a submission is worth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from grader.records.evidence import Measurement
from grader.records.flags import Flag
from grader.records.trainings import FitRecord
from grader.records.words import CheckOutcome, CheckWord, Feedback, RunEnding

AlignedMark = Literal["same", "changed", "missing", "extra"]
"""How a layer found stands beside the one expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedLayer:
    """One line of the expected and the found network, side by side."""

    expected: str
    """The layer expected; empty for an extra one."""
    found: str
    """The layer found; empty for a missing one."""
    mark: AlignedMark
    """How the two compare in what the assignment names."""
    difference: str = ""
    """In what they differ."""
    expected_params: int | None = None
    """Parameters of the layer expected; ``None`` when they cannot be derived."""
    found_params: int | None = None
    """Parameters of the layer found."""
    arithmetic: str = ""
    """How both numbers come about, where they differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check's verdict on one submission."""

    name: str
    """The test function."""
    title: str
    """Its docstring's first line, as the student reads it."""
    outcome: CheckOutcome
    """The verdict."""
    points: float
    """Points earned."""
    out_of: float
    """Points to be had."""
    hidden: bool
    """Not shown to students."""
    expected: str = ""
    """What ought to be."""
    received: str = ""
    """What is."""
    hint: str = ""
    """What to try, or why it was not judged."""
    alignment: tuple[AlignedLayer, ...] = ()
    """The expected and the found network side by side, where a wrong network was compared."""
    tells: tuple[CheckWord, ...] = ()
    """Which of its words may tell what was measured on held-out data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The product: everything a view is made from."""

    version: int
    """Of this schema."""
    assignment: Mapping[str, str]
    """``name``, ``title``, ``version``."""
    submission: Mapping[str, str]
    """``student``, ``origin``, ``kind``."""
    ending: RunEnding
    """How the run ended."""
    points: float
    """Points earned."""
    out_of: float
    """Points to be had, those of broken checks left out."""
    needs_a_person: bool
    """Something of ours went wrong, or a rule asks for a person."""
    checks: tuple[CheckResult, ...]
    """In the order of the assignment."""
    models: tuple[Mapping[str, Any], ...]
    """Every model found; the judged one with its layers."""
    fits: tuple[FitRecord, ...]
    """Every recorded training."""
    measurement: Measurement | None
    """Held-out accuracy."""
    measurements: Mapping[str, Measurement]
    """The same of what else was judged, by the names the assignment gives."""
    extra: Measurement | None
    """The same of the judged model on the assignment's extra set; for the instructor alone."""
    cells: tuple[Mapping[str, Any], ...]
    """Cells that did not simply run, with the student's own traceback."""
    notes: tuple[str, ...]
    """For the reader."""
    withheld_notes: tuple[str, ...] = ()
    """Those of the notes that tell what was measured, where ``feedback`` is coarse: a student's
    copy is without them. For the instructor alone."""
    feedback: Feedback = "exact"
    """How much of what was measured on held-out data a student's copy tells."""
    flags: tuple[Flag, ...]
    """For the instructor alone."""
    attempts: int = 0
    """How many versions of this student's work `grader grade` has seen with this evidence store; 0
    where they were not counted. For the instructor alone."""
    not_run: Mapping[str, float]
    """Checks that were not run here: ``checks`` and ``points``."""
    isolation: Mapping[str, str]
    """``level`` and ``description``."""
    data: Mapping[str, str]
    """``name``, ``source``, ``description``, ``digest``."""
    environment: Mapping[str, str]
    """Versions, seed, threads."""
    seconds: Mapping[str, float]
    """Wall time by stage."""
