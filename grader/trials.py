"""The values that come of trying out an assignment: what validation and calibration found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grader.records import Metric

Concern = Literal["checks", "thresholds", "solution", "handout", "leak", "mutants", "settings"]
"""What a complaint is about."""

Fate = Literal["caught", "survived", "equivalent", "harmless", "person"]
"""What became of a mutant.

``caught``: it lost points; ``survived``: it has full marks, and its evidence differs from the
reference's; ``equivalent``: its evidence is the reference's, so that no check could tell them
apart; ``harmless``: it has full marks, or another one of its kind has, and the assignment says that
it may; ``person``: no verdict was given, a person was called.
"""
Trained = Literal["not at all", "briefly", "in full"]
"""How long a mutant was trained before it was judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """Something that an instructor should change."""

    about: Concern
    """What it is about."""
    what: str
    """What is wrong, and where."""
    remedy: str = ""
    """What to do or type next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTried:
    """What was seen of one check."""

    name: str
    """The test function."""
    title: str
    """What students read."""
    points: float
    """What it is worth."""
    hidden: bool
    """Not shown to students."""
    passed_by_reference: bool
    """Whether the reference solution passes it."""
    failed_by_handout: bool
    """Whether the untouched handout fails it, or is not judged by it."""
    failed_by: int
    """How many mutants fail it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantTried:
    """What became of one mutant."""

    name: str
    """Its name among the submissions."""
    kind: str
    """The kind of mistake."""
    what: str
    """What was changed, in a few words."""
    where: str
    """Where, e.g. ``"cell 4, line 3"``."""
    diff: str
    """The changed lines."""
    fate: Fate
    """What became of it."""
    caught_by: tuple[str, ...] = ()
    """The checks that it failed and the reference passes."""
    indirectly: bool = False
    """Whether only checks of what follows from the mistake caught it, and none of itself.

    Whoever makes it is told, e.g., that the accuracy is low, and not that an activation is wrong.
    """
    trained: Trained = "in full"
    """How long it was trained before it was judged."""
    reason: str = ""
    """Why it is harmless, or why a person is called."""
    seconds: float = 0.0
    """Wall time of its runs, when they ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What trying out an assignment has shown."""

    assignment: str
    """Its name."""
    solution: str
    """The reference's file."""
    complaints: tuple[Complaint, ...]
    """What to change; none when all is well."""
    notes: tuple[str, ...]
    """What is worth knowing."""
    checks: tuple[CheckTried, ...]
    """In the order of the assignment."""
    mutants: tuple[MutantTried, ...]
    """In the order of their kinds."""
    points: Mapping[str, float]
    """Points of ``reference`` and ``handout``, and ``out_of``."""
    data: str
    """The data that was used, in words."""
    only: tuple[str, ...] = ()
    """The kinds that were tried, where not all were."""
    left_out: int = 0
    """Further mutants of these kinds that were not tried."""
    seconds: float = 0.0
    """Wall time."""

    @property
    def is_sound(self) -> bool:
        """Whether there is nothing to complain about."""
        return not self.complaints

    def count(self, fate: Fate) -> int:
        """How many mutants had this fate."""
        return sum(mutant.fate == fate for mutant in self.mutants)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """How likely a correct solution misses a bound."""

    bound: float
    """The floor of an accuracy, the ceiling of a mean squared error."""
    missed: float
    """The chance, estimated so that it is too high as often as too low."""
    low: float
    """Lower end of its 95 % interval."""
    high: float
    """Upper end."""
    seen: int
    """How many of the runs missed it."""
    most: float
    """Upper 95 % bound from counting alone, whatever the distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How what a model of the reference reaches spreads over seeds, and what bound that allows."""

    model: str
    """Its name below ``[models]``; empty for the model of ``[model]``."""
    metric: Metric
    """What is measured."""
    runs: Mapping[int, float]
    """Seed → accuracy, or mean squared error."""
    samples: int
    """Held-out samples behind each."""
    mean: float
    """Of the runs; of errors, the geometric mean."""
    deviation: float
    """Standard deviation, with n - 1; of errors, that of their natural logarithm."""
    present: Chance | None
    """At the bound in ``assignment.toml``; ``None`` where it stands in a check."""
    proposed: Chance
    """At the proposed bound."""
    margin: float
    """The proposed margin."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables, from the outermost one, in which the bound stands in ``assignment.toml``."""
        of_several = ("models", self.model) if self.model else ()
        return "thresholds", *of_several, "accuracy" if self.metric == "accuracy" else "error"

    @property
    def key(self) -> str:
        """What the bound is called, there and in checks."""
        return "at_least" if self.metric == "accuracy" else "at_most"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How what the reference reaches spreads over seeds, and what thresholds that allows."""

    assignment: str
    """Its name."""
    solution: str
    """The reference's file."""
    models: tuple[Spread, ...]
    """Those that were measured, that of ``[model]`` first."""
    share: float
    """The share of correct solutions that a proposed bound is made for."""
    confidence: float
    """How sure it is that at least this share passes."""
    data: str
    """The data that was used, in words."""
    notes: tuple[str, ...] = field(default=())
    """What is worth knowing."""
    seconds: float = 0.0
    """Wall time."""

    @property
    def thresholds(self) -> tuple[Spread, ...]:
        """Those whose bounds stand in ``assignment.toml``."""
        return tuple(each for each in self.models if each.present)
