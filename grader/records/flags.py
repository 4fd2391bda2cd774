"""What an instructor may want to look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FlagKind = Literal[
    "no_recorded_fit",
    "changed_after_fit",
    "fit_changed_nothing",
    "constant",
    "missing_classes",
    "history_above_measured",
    "evaluation_above_measured",
    "trained_on_test",
    "validated_on_test",
    "patched",
    "extra_below",
    "same_answers",
    "own_code",
]
"""What was noticed; ``docs/flags.md`` says of each what it proves and what it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something noticed that an instructor may want to look at: a fact, and never a verdict."""

    kind: FlagKind
    """What was noticed."""
    sentence: str
    """The same in words."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """The numbers and names it stands on."""
