"""What a handful of accuracies says about the next one: bounds, chances and their intervals.

The accuracies of one solution under different seeds are taken as draws of a normal distribution
whose mean and deviation are unknown, and of which a handful is seen; a bound by counting alone
stands beside it, for those who doubt the normal. The formulas are those of G. J. Hahn,
W. Q. Meeker and L. A. Escobar, *Statistical Intervals*, 2nd edition, Wiley 2017.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

CONFIDENCE = 0.95
"""Of intervals."""
FAR = 35.0
"""Of noncentral t: floors that are more than that many standard errors away."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Accuracies, summed up."""

    size: int
    """How many."""
    mean: float
    """Their mean."""
    deviation: float
    """Their standard deviation, with n - 1."""


def summed_up(values: Sequence[float]) -> Sample:
    """Sum up accuracies; at least two."""
    return Sample(len(values), float(np.mean(values)), float(np.std(values, ddof=1)))


def tolerance_factor(size: int, share: float, confidence: float) -> float:
    """How many deviations below the mean at least this share of all values lies above.

    The factor k of a one-sided tolerance bound for a normal distribution,
    ``t(confidence; n - 1, z(share) √n) / √n`` with the quantile of the noncentral t distribution
    (Hahn, Meeker and Escobar 2017, section 4.6; NIST/SEMATECH e-Handbook, section 7.2.6.3).

    Args:
        size: How many values were seen.
        share: The share of all values.
        confidence: How sure it is to be.
    """
    root = math.sqrt(size)
    return float(special.nctdtrit(size - 1, special.ndtri(share) * root, confidence)) / root


def chance_below(sample: Sample, floor: float) -> float:
    """The share of all values that lies below a floor: too high as often as too low.

    The 50 % limit of :func:`interval_below`, which therefore always holds it.
    """
    return interval_below(sample, floor, 0.0)[0]


def interval_below(
    sample: Sample, floor: float, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """The interval of the share of all values that lies below a floor.

    ``√n (mean - floor) / s`` has a noncentral t distribution whose noncentrality is ``√n`` times
    the distance of the true mean from the floor in true deviations; the noncentralities under which
    what was seen is just not too unlikely give both ends (Hahn, Meeker and Escobar 2017,
    section 4.5).
    """
    root = math.sqrt(sample.size)
    seen = root * (sample.mean - floor) / sample.deviation
    tail = (1 - confidence) / 2
    near, far = (_noncentrality(sample.size - 1, p, seen) for p in (1 - tail, tail))
    return float(special.ndtr(-far / root)), float(special.ndtr(-near / root))


def _noncentrality(freedom: int, chance: float, seen: float) -> float:
    """The noncentrality at which a value up to the one seen has this chance.

    Far out, where ``scipy.special.nctdtr`` is slow or gives NaN, the normal approximation stands
    in (Johnson and Kotz 1970, chapter 31); there the share is next to nothing anyway.
    """
    scale = 1 - 1 / (4 * freedom)
    spread = math.sqrt(1 + seen * seen / (2 * freedom))
    near = seen * scale - float(special.ndtri(chance)) * spread
    if abs(seen) > FAR:
        return near

    def difference(noncentrality: float) -> float:
        value = float(special.nctdtr(freedom, noncentrality, seen))
        if math.isnan(value):
            value = float(special.ndtr((seen * scale - noncentrality) / spread))
        return value - chance

    width = 1 + spread
    while difference(near - width) < 0 or difference(near + width) > 0:
        width *= 2
    return float(optimize.brentq(difference, near - width, near + width, xtol=1e-6))


def most_by_counting(failed: int, size: int, confidence: float = CONFIDENCE) -> float:
    """The upper bound of a share of which so many of so many were seen, whatever the distribution.

    Clopper and Pearson 1934; with none seen it is ``1 - (1 - confidence)^(1/n)``, about ``3 / n``.
    """
    if failed >= size:
        return 1.0
    return float(special.betaincinv(failed + 1, size - failed, confidence))


def reach(sample: Sample, confidence: float = CONFIDENCE) -> float:
    """How far the next value lies from the mean at most, with this confidence.

    Half the width of the prediction interval, ``t s √(1 + 1/n)``
    (Hahn, Meeker and Escobar 2017, section 4.8).
    """
    t = float(special.stdtrit(sample.size - 1, (1 + confidence) / 2))
    return t * sample.deviation * math.sqrt(1 + 1 / sample.size)
