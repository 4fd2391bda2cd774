"""The stand-in for IMDb: made-up reviews in a made-up language, with its statistics.

Nothing comes in; out go 25,000 + 25,000 sequences of word ranks, half of them positive. No
review was ever written and no word means anything, but a network finds the same task in them:
how long reviews are and how often the word of each rank occurs follow the Large Movie Review
Dataset (A. Maas et al., ACL 2011), and sentiment shows in many words a little.

Words come in pairs of neighbouring ranks. A review draws pairs as often as English uses words
of their rank; which word of the pair it takes depends on how positive the review is and on what
it is about. Some reviews read unlike their label: that bounds what any network can reach, as
irony does. The strengths are set so that the course's network scores about what it scores on
the real reviews: see ``tests/datasets/test_references.py``.
"""

import json

import numpy as np

from grader.datasets.arrays import Arrays

RECIPE = 1
"""Raised whenever one rank of the outcome changes."""

VOCABULARY = 88_584
"""How many words the real reviews have."""

_SEED = 2011
_REVIEWS = 25_000
"""In each half."""

_MEDIAN_LENGTH, _SPREAD = 178.0, 0.72
"""Lengths are log-normal: the median in words, the deviation of its logarithm."""
_SHORTEST, _LONGEST = 11, 2_494

_AT_RANK = (1, 2, 3, 5, 10, 30, 100, 300, 1e3, 3e3, 1e4, 2e4, 4e4, VOCABULARY)
_SHARE = (
    *(5.7e-2, 2.8e-2, 2.7e-2, 2.3e-2, 1.3e-2, 4.0e-3, 1.3e-3),
    *(3.7e-4, 1.0e-4, 2.7e-5, 5.2e-6, 1.7e-6, 5.0e-7, 1.7e-7),
)
"""Which share of all words in film reviews has a certain rank."""

_FIRST_TELLING = 30
"""The words before this rank are like *the* and *of*: they tell nothing."""
_TELLING = 0.4
"""Share of the other pairs whose words differ in sentiment."""
_STRENGTH = 0.85
"""How much they differ: standard deviation of the log-odds in a review of strength one."""
_UNSURE = 0.6
"""Standard deviation of a review's strength, whose mean is one; below zero it misleads."""
_TOPICS = 24
_TOPIC = 0.3
"""How much topics differ in their words: standard deviation of the log-odds."""


def make() -> Arrays:
    """Make the stand-in.

    Returns:
        For ``train`` and ``test`` each: all ranks in one row, ``(tokens,)`` int32; the length
        of each review, ``(25000,)`` int32; and its label, ``(25000,)`` int64. With them the
        bytes of the word index, uint8.
    """
    rng = np.random.default_rng(_SEED)
    share = _shares()
    pairs = np.cumsum(share[::2] + share[1::2])
    leaning = np.log(share[::2] / share[1::2])
    content = np.arange(len(pairs)) * 2 >= _FIRST_TELLING
    telling = content & (rng.random(len(pairs)) < _TELLING)
    polarity = telling * _STRENGTH * rng.standard_normal(len(pairs))
    topics = content * _TOPIC * rng.standard_normal((_TOPICS, len(pairs)))
    odds = leaning + topics

    made: dict[str, np.ndarray] = {}
    for split in ("train", "test"):
        labels = rng.permutation(np.arange(_REVIEWS) % 2)
        strength = (2 * labels - 1) * (1 + _UNSURE * rng.standard_normal(_REVIEWS))
        lengths = _lengths(rng)
        review = np.repeat(np.arange(_REVIEWS), lengths)
        topic = rng.integers(_TOPICS, size=_REVIEWS)[review]
        pair = np.searchsorted(pairs, rng.random(len(review)) * pairs[-1], "right")
        log_odds = odds[topic, pair] + strength[review] * polarity[pair]
        second = rng.random(len(review)) * (1 + np.exp(-log_odds)) > 1
        made[f"{split}_ranks"] = (2 * pair + second + 1).astype(np.int32)
        made[f"{split}_lengths"] = lengths
        made[f"y_{split}"] = labels.astype(np.int64)
    index = json.dumps({word: rank for rank, word in enumerate(_words(), 1)}, separators=(",", ":"))
    made["word_index"] = np.frombuffer(index.encode(), np.uint8)
    return made


def _shares() -> np.ndarray:
    """Give the share of each rank, ``(88584,)``, by interpolation of the logarithms."""
    ranks = np.arange(1, VOCABULARY + 1)
    share = np.exp(np.interp(np.log(ranks), np.log(_AT_RANK), np.log(_SHARE)))
    return np.asarray(share / share.sum())


def _lengths(rng: np.random.Generator) -> np.ndarray:
    """Draw how many words each review has, ``(25000,)`` int32."""
    drawn = _MEDIAN_LENGTH * np.exp(_SPREAD * rng.standard_normal(_REVIEWS))
    return np.rint(drawn).clip(_SHORTEST, _LONGEST).astype(np.int32)


def _words() -> list[str]:
    """Make up as many different words as there are ranks, frequent ones short."""
    syllables = [c + v for c in "bdfghklmnprstvwz" for v in ("a", "e", "i", "o", "u")]
    count = len(syllables)
    rng = np.random.default_rng(_SEED + 1)
    words: list[str] = []
    for length in (1, 2, 3):
        wanted = min(VOCABULARY - len(words), count**length)
        numbers = rng.permutation(count**length)[:wanted]
        digits = [numbers // count**place % count for place in range(length)]
        words += [
            "".join(syllables[d] for d in word)
            for word in zip(*(d.tolist() for d in digits), strict=True)
        ]
    return words
