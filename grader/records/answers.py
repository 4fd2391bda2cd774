"""What probes were answered."""

from dataclasses import dataclass

from grader.records.cells import ErrorFacts
from grader.records.words import GivenKind, ProbeOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenValue:
    """A value of the student's, as plain data."""

    kind: GivenKind
    """What it is."""
    type: str
    """Its class, e.g. ``"ndarray"``."""
    shape: tuple[int, ...] | None = None
    """Axis lengths of an array, or of regularly nested lists of numbers; ``()`` for a number."""
    dtype: str = ""
    """NumPy's name; of lists, what NumPy would make of them."""
    numbers: tuple[int | float, ...] | None = None
    """All numbers, last axis fastest; ``None`` when there are none or too many."""
    minimum: float | None = None
    """Smallest of an array's numbers, also of one too large to be given."""
    maximum: float | None = None
    """Largest."""
    mean: float | None = None
    """Mean."""
    std: float | None = None
    """Standard deviation."""
    text: str = ""
    """A text; of a function, class or Keras object its canonical name."""
    keys: tuple[str, ...] = ()
    """Of a dictionary."""
    items: tuple["GivenValue", ...] = ()
    """Members of a dictionary, and of a list or tuple that is no regular array of numbers."""
    layers: tuple[str, ...] = ()
    """The layers' classes, of a Keras model."""
    params: int | None = None
    """All parameters of a Keras model."""
    cut: bool = False
    """Something was left out, because there is too much of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeStep:
    """One call of a student's function."""

    value: GivenValue
    """What it gave back."""
    mutated: tuple[str, ...] = ()
    """Which of its arguments it changed: places from 0, or names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswer:
    """What came of one probe."""

    outcome: ProbeOutcome
    """How it ended."""
    steps: tuple[ProbeStep, ...] = ()
    """What was answered before that; one step for each call."""
    error: ErrorFacts | None = None
    """The exception, when it raised."""
    problem: str = ""
    """What was not as it should be."""
    functions: tuple[str, ...] = ()
    """The functions that the student defined, when the wanted one was not found."""
