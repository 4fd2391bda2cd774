"""What a kind of mutant is: a mistake that a teacher would call one, and where it can be made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from grader.authoring.mutants.source import Change, Program

# The fixtures of checks by what their facts are about: see :attr:`Kind.shows_in`. What a function
# answers tells of whatever it makes, a network or a training as well.
FUNCTIONS = frozenset({"probes", "answers", "values"})
NETWORK = frozenset({"model", "models", "named"}) | FUNCTIONS
TRAINING = frozenset({"fits", "trainings", "named", "history", "execution"}) | FUNCTIONS
DATA = TRAINING | {"variables"}
EVALUATION = frozenset({"evaluations", "trainings", "execution"})
PREDICTIONS = frozenset({"held_out", "named"})
FIGURES = frozenset({"figures"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of mistake."""

    name: str
    """What it is called on the command line and in ``[validate]``."""
    changes: Callable[[Program], Iterator[Change]]
    """Every place where a solution could have it, or none where it does not apply."""
    shows_in: frozenset[str] = frozenset()
    """Fixtures whose facts have the mistake itself in them, not what follows from it; none for any.

    Who only loses points for accuracy is not told that an activation is wrong.
    """
    by_accuracy: bool = False
    """Only a full training can show it; others are first tried with one epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A solution with one mistake in it."""

    name: str
    """Unique, safe as a folder name: ``"units_off-2"``."""
    kind: Kind
    """What was done to it."""
    what: str
    """In a few words, e.g. ``"512 → 511"``."""
    where: str
    """The place of the first change, e.g. ``"cell 4, line 3"``."""
    cells: tuple[str, ...]
    """Its code cells."""
    diff: str
    """The changed lines."""
