"""The stand-in for CIFAR-10: coloured digits before coloured clouds.

Out of the images of :mod:`grader.datasets.digits` come 50,000 + 10,000 colour images in CIFAR-10's
shape and with as many classes. Each is a digit somewhere before clouds of other colours, in a
colour of its own, and often so faint that little or nothing of it can be seen: no pixel tells the
class, and no network finds every digit. As there, a source of a training image is never that of a
test image.

How many digits are too faint to be seen is set so that the course's network scores about what it
scores on CIFAR-10: see ``docs/accuracies.md``.

All is computed in integers, so the images are the same bit for bit wherever they are made.
"""

from collections.abc import Iterator

import numpy as np

from grader.datasets import digits
from grader.datasets.arrays import Arrays

RECIPE = 1
"""Raised whenever one pixel of the outcome changes, but for a change of the digits' own."""

_SEED = 32
_COUNTS = {"train": 50_000, "test": 10_000}
_SIDE = 32
_CELLS = (16, 8, 4)
"""Clouds are laid over each other whose knots are so many pixels apart,"""
_SHARES = (38, 22, 15)
"""with so many hundredths of the range: clouds are dark on the whole,"""
_INK = (128, 256)
"""and digits are lighter, or the course's network would spend its first epoch on chance."""
_COVER = (-200, 500)
"""How much a digit covers what is behind it, in 256ths: below 0 not at all, above 256 wholly."""
_CHUNK = 250
"""Images made at once: they fit into a processor's cache."""


def make() -> Arrays:
    """Make the stand-in.

    Returns:
        ``x_train`` ``(50000, 32, 32, 3)`` and ``x_test`` ``(10000, 32, 32, 3)``, uint8, with
        ``y_train`` ``(50000,)`` and ``y_test``, uint8.
    """
    shapes = digits.make()
    rng = np.random.default_rng(_SEED)
    made: dict[str, np.ndarray] = {}
    for split, count in _COUNTS.items():
        made[f"x_{split}"] = np.concatenate(list(_colour(shapes[f"x_{split}"][:count], rng)))
        made[f"y_{split}"] = shapes[f"y_{split}"][:count]
    return made


def _colour(shapes: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Set each digit before clouds.

    Args:
        shapes: Digits ``(n, 28, 28)`` of 0 to 255.
        rng: Where the chance comes from.

    Yields:
        Images ``(250, 32, 32, 3)`` uint8, the last ones perhaps fewer.
    """
    for start in range(0, len(shapes), _CHUNK):
        chunk = _placed(shapes[start : start + _CHUNK], rng)
        behind = _clouds(len(chunk), rng)
        ink = rng.integers(*_INK, (len(chunk), 1, 1, 3))
        strength = rng.integers(*_COVER, len(chunk)).clip(0, 256)
        cover = chunk[..., None] * strength[:, None, None, None]
        yield (behind + (ink - behind) * cover // (255 * 256)).astype(np.uint8)


def _placed(shapes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put each digit somewhere on the larger image: ``(n, 32, 32)`` int64."""
    old = shapes.shape[1]
    placed = np.zeros((len(shapes), _SIDE, _SIDE), np.int64)
    places = rng.integers(0, _SIDE - old + 1, (len(shapes), 2))
    for image, shape, (top, left) in zip(placed, shapes, places.tolist(), strict=True):
        image[top : top + old, left : left + old] = shape
    return placed


def _clouds(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw clouds, coarse ones and fine ones over each other.

    Returns:
        ``(count, 32, 32, 3)`` int64 of 0 to 191.
    """
    total = np.zeros((count, _SIDE, _SIDE, 3), np.int64)
    for cell, share in zip(_CELLS, _SHARES, strict=True):
        knots = rng.integers(0, 256, (count, _SIDE // cell + 1, _SIDE // cell + 1, 3))
        weights = _linear(cell)
        spread = np.einsum("ij,njkc,lk->nilc", weights, knots, weights, optimize=True)
        total += spread * share // (100 * cell * cell)
    return total


def _linear(cell: int) -> np.ndarray:
    """Give the matrix of linear interpolation from knots to pixels, in ``cell``-ths."""
    pixels = np.arange(_SIDE)[:, None]
    knots = np.arange(_SIDE // cell + 1) * cell
    return np.asarray(np.maximum(0, cell - np.abs(pixels - knots)))
