"""What was measured → the band it lies in: near enough to learn by, too coarse to climb by."""

import math
from decimal import Decimal

from grader.records import Measurement

BANDS = 20
"""Of an accuracy: each is 5 points wide."""
STEPS = (5, 2, 1)
"""Of an error: its bands begin at these digits, in every decade."""
SMALLEST = 1e-9
"""An error below this lies in the lowest band, which begins at 0."""
SURE_DIGITS = 9
"""0.15 × 20 is a little less than 3 to a computer."""


def band_of(measurement: Measurement, value: float) -> tuple[float, float]:
    """Give both ends of the band that a value lies in; the lower end belongs to it.

    Args:
        measurement: Says what was measured. An accuracy lies in one of twenty equal bands, of which
            the last holds 1; a mean squared error between two numbers of 1, 2, 5, 10, 20 …
        value: An accuracy or an error.
    """
    if measurement.metric == "accuracy":
        number = min(math.floor(round(value * BANDS, SURE_DIGITS)), BANDS - 1)
        return number / BANDS, (number + 1) / BANDS
    if value < SMALLEST:
        return 0.0, SMALLEST
    decimal = Decimal(repr(value))
    power = decimal.adjusted()
    first = next(step for step in STEPS if decimal >= Decimal(step).scaleb(power))
    following = {1: 2, 2: 5, 5: 10}[first]
    return float(f"{first}e{power}"), float(f"{following}e{power}")
