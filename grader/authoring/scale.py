"""On which scale luck is looked at, and in which steps a threshold is proposed.

Accuracies of one solution under different seeds are taken as normal as they are; mean squared
errors, which are positive and differ by factors, by their logarithm (Limpert, Stahel and Abbt 2001,
*BioScience* 51, 341: products of many small effects are log-normal).
"""

import math
import sys
from dataclasses import dataclass

from grader.authoring.tolerance import Sample, reach
from grader.records import Metric

STEP = 0.001
"""Of floors of accuracies, and of their margins: a finer one would pretend too much."""
DIGITS = 2
"""Of ceilings of errors, and their margins."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How a measured number becomes a score, which is larger for a better model, and back."""

    metric: Metric
    """What is measured."""

    def score(self, value: float) -> float:
        """Give the score of an accuracy or of a mean squared error."""
        return value if self.metric == "accuracy" else -math.log(max(value, sys.float_info.min))

    def value(self, score: float) -> float:
        """Give what has this score."""
        return score if self.metric == "accuracy" else math.exp(-score)

    def kinder(self, score: float) -> float:
        """Give the bound at a score, rounded to what more solutions reach."""
        if self.metric == "accuracy":
            return max(0.0, round(math.floor(score / STEP) * STEP, 6))
        return _up(self.value(score))

    def margin(self, bound: float, sample: Sample) -> float:
        """How far from the bound one run's luck still decides, in the metric's own unit.

        Args:
            bound: The floor or ceiling.
            sample: Scores.
        """
        if self.metric == "accuracy":
            return round(math.ceil(reach(sample) / STEP) * STEP, 6)
        return _up(bound * math.expm1(reach(sample)))


def _up(value: float) -> float:
    """Round up to :data:`DIGITS` telling digits."""
    step = 10.0 ** (math.floor(math.log10(value)) - DIGITS + 1)
    return float(f"{math.ceil(round(value / step, 6)) * step:.{DIGITS}g}")
