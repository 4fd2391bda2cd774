"""Two networks side by side: which layer of one stands for which layer of the other.

The alignment of the least cost (Needleman and Wunsch, 1970): a layer may stand beside nothing, or
beside another one at a price that grows with what they differ in. The cost is symmetric.
"""

from collections.abc import Sequence

from grader.checks.layers import WantedLayer, same_setting, sort_of

Pair = tuple[int | None, int | None]
"""Places on the left and on the right; ``None`` beside a layer that has no partner."""

GAP = 1.0
"""A layer without a partner."""
STRANGERS = 1.8
"""Layers of different sorts; less than two gaps, so that one replaced by another is one line."""
RELATIVES = 1.2
"""Layers of one family: max and average pooling, LSTM and GRU."""
UNITS = 0.5
ACTIVATION = 0.3
SETTING = 0.2
MOST_FOR_SETTINGS = 0.6
FAMILIES = (
    tuple(f"{how}Conv{axes}D" for how in ("", "Separable", "Depthwise") for axes in (1, 2, 3)),
    ("LSTM", "GRU", "SimpleRNN"),
)


def cost(one: WantedLayer, other: WantedLayer) -> float:
    """How far two layers are apart; what one of them leaves open is no difference."""
    if one.kind != other.kind:
        return RELATIVES if _related(one.kind, other.kind) else STRANGERS
    apart = 0.0
    if None not in (one.units, other.units) and one.units != other.units:
        apart += UNITS
    if None not in (one.activation, other.activation) and one.activation != other.activation:
        apart += ACTIVATION
    fewer, more = sorted((one, other), key=lambda said: len(said.settings))
    differing = sum(
        not same_setting(key, fewer, more) for key in fewer.settings if key in more.settings
    )
    return apart + min(SETTING * differing, MOST_FOR_SETTINGS)


def _related(one: str, other: str) -> bool:
    if sort_of(one) == sort_of(other) != "layer":
        return True
    return any(one in family and other in family for family in FAMILIES)


def align(
    left: Sequence[WantedLayer], right: Sequence[WantedLayer], *, early: bool = False
) -> tuple[tuple[Pair, ...], float]:
    """Find the alignment of the least cost.

    Args:
        left: One network.
        right: The other.
        early: Which of equally good ones: that which leaves out the earlier of two equal layers.

    Returns:
        Its lines in order, in which every place of both sides stands exactly once, and its cost.
    """
    costs = [[cost(one, other) for other in right] for one in left]
    best = [
        [GAP * (row + column) for column in range(len(right) + 1)] for row in range(len(left) + 1)
    ]
    for row in range(1, len(left) + 1):
        above, here, prices = best[row - 1], best[row], costs[row - 1]
        for column in range(1, len(right) + 1):
            here[column] = min(
                above[column - 1] + prices[column - 1],
                above[column] + GAP,
                here[column - 1] + GAP,
            )
    return _way_back(costs, best, early=early), best[-1][-1]


def _way_back(
    costs: list[list[float]], best: list[list[float]], *, early: bool
) -> tuple[Pair, ...]:
    row, column = len(best) - 1, len(best[0]) - 1
    pairs: list[Pair] = []
    while row or column:
        here = best[row][column]
        together = row and column and here == best[row - 1][column - 1] + costs[row - 1][column - 1]
        if early and together:
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif row and here == best[row - 1][column] + GAP:
            row -= 1
            pairs.append((row, None))
        elif column and here == best[row][column - 1] + GAP:
            column -= 1
            pairs.append((None, column))
        else:
            row, column = row - 1, column - 1
            pairs.append((row, column))
    return tuple(reversed(pairs))
