"""A number that was taken several times."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The middle of several values, and how far they lie apart."""

    median: float
    """The middle one."""
    low: float
    """The smallest."""
    high: float
    """The largest."""

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """The spread of at least one value."""
        known = list(values)
        return cls(median=statistics.median(known), low=min(known), high=max(known))

    def cells(self, digits: int = 2) -> str:
        """The three numbers as columns of a table."""
        return "".join(f"{value:>9.{digits}f}" for value in (self.median, self.low, self.high))


HEADINGS = f"{'median':>9}{'min':>9}{'max':>9}"
"""Above :meth:`Spread.cells`."""
