"""The stand-in for MNIST: real handwriting, enlarged and deformed.

Nothing comes in but scikit-learn's 1,797 handwritten digits of 8 × 8 pixels (E. Alpaydin and
C. Kaynak, UCI repository, 1998), which that package carries; out go 60,000 + 10,000 images in
MNIST's shape. Each is one of those digits at MNIST's size, turned, sheared, scaled, shifted and
warped by chance. A digit that is the source of a training image is never the source of a test
image, so that what is measured is generalisation and not memory, and a digit that looks like
another is never the source of a test image.

The deformations are set so that the course's networks score about what they score on MNIST:
see ``tests/datasets/test_references.py``.

All pixels are computed in integers from coordinates rounded to 1/64 pixel, so the images are
the same bit for bit wherever they are made.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from grader.datasets.arrays import Arrays

RECIPE = 2
"""Raised whenever one pixel of the outcome changes."""

_SEED = 5
_TRAIN, _TEST = 60_000, 10_000
_TEST_SHARE = 1 / 3
"""Share of the source digits that is kept for test images: enough that none decides alone."""

_NEIGHBOURS = 5

_SIDE = 28
_BOX = 20
"""The side of the square that MNIST fits its digits into, pixels."""
_FINE = 2
"""Pixels of the enlarged source per pixel of the image."""
_MARGIN = 8
"""Empty pixels of the image around the box, more than any deformation reaches."""

_ROTATION = np.deg2rad(5.0)
_SHEAR = 0.08
_SCALE = 0.06
_SHIFT = 0.5
_WARP = 0.8
"""Standard deviations: radians, tangent, share, pixels of the image, pixels of the image."""

_PAPER, _PEN, _EDGE = 0.2, 0.08, 0.6
"""Ink lighter than the first, give or take the second, is paper; the third more is black.

This makes strokes as steep and of as many widths as MNIST's.
"""
_KNOTS = 5
"""The warp is drawn on 5 × 5 knots and interpolated between them."""
_BITS = 6
_STEPS = 1 << _BITS
"""Coordinates are rounded to this share of a pixel of the enlarged source."""
_CHUNK = 250
"""Images made at once: their coordinates fit into a processor's cache."""


def source_digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the source digits, their labels, and which are kept for test images.

    Returns:
        Images ``(1797, 8, 8)`` of 0 to 16, labels ``(1797,)`` and a mask ``(1797,)``.
    """
    from sklearn.datasets import load_digits  # noqa: PLC0415 - slow, and only needed here

    digits: Any = load_digits()
    images = np.asarray(digits.images, np.int64)
    labels = np.asarray(digits.target, np.uint8)
    for_test = np.zeros(len(labels), bool)
    rng = np.random.default_rng(_SEED)
    for digit in range(10):
        places = rng.permutation(np.flatnonzero(labels == digit))
        clear = places[_is_clear(images, labels)[places]]
        for_test[clear[: round(len(places) * _TEST_SHARE)]] = True
    return images, labels, for_test


def _is_clear(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Say which digits look like their own kind: the nearest ones all have the same label.

    The others are sources of training images alone. One of them kept for test images would
    decide about twenty at once, and so about the grade of a network that is as good as any.
    """
    flat = images.reshape(len(images), -1)
    squares = (flat**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * flat @ flat.T
    np.fill_diagonal(distances, distances.max() + 1)
    nearest = distances.argsort(axis=1, kind="stable")[:, :_NEIGHBOURS]
    return np.asarray((labels[nearest] == labels[:, None]).all(axis=1))


def make() -> Arrays:
    """Make the stand-in.

    Returns:
        ``x_train`` ``(60000, 28, 28)`` and ``x_test`` ``(10000, 28, 28)``, uint8, with
        ``y_train`` and ``y_test``, uint8.
    """
    images, labels, for_test = source_digits()
    fine = _enlarge(images)
    rng = np.random.default_rng(_SEED + 1)
    made: dict[str, np.ndarray] = {}
    for split, count, mask in (
        ("train", _TRAIN, ~for_test),
        ("test", _TEST, for_test),
    ):
        sources = _draw(np.flatnonzero(mask), count, rng)
        made[f"x_{split}"] = np.concatenate(list(_deform(fine, sources, rng)))
        made[f"y_{split}"] = labels[sources]
    return made


def _draw(places: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Take each place about equally often, in an order without pattern."""
    rounds = -(-count // len(places))
    drawn = np.concatenate([rng.permutation(places) for _ in range(rounds)])[:count]
    return rng.permutation(drawn)


def _enlarge(images: np.ndarray) -> np.ndarray:
    """Enlarge each digit to the box, inside a margin.

    Args:
        images: ``(n, 8, 8)`` of 0 to 16.

    Returns:
        ``(n, 72, 72)`` int32 of 0 to 255.
    """
    weights = _cubic(images.shape[1], _BOX * _FINE)
    wide = np.einsum("ij,njk,lk->nil", weights, images, weights, optimize=True)
    full = 16 * _WEIGHT**2
    gray = (255 * wide.clip(0, full) + full // 2) // full
    margin = _MARGIN * _FINE
    padded = np.pad(gray, ((0, 0), (margin, margin), (margin, margin)))
    return np.asarray(padded.astype(np.int32))


_WEIGHT = 250
"""What the weights of one pixel sum to: from 8 to 40 pixels all are whole 250ths."""


def _cubic(old: int, new: int) -> np.ndarray:
    """Give the matrix of Keys' cubic interpolation (a = −1/2) from old to new samples.

    R. Keys, Cubic convolution interpolation for digital image processing, IEEE Trans. ASSP 29,
    1981, equation 4. Beyond the border there is paper.

    Returns:
        ``(new, old)`` in 250ths, int64: exact, for rounding would meet many ties.
    """
    places = (np.arange(new) + 0.5) * old / new - 0.5
    x = np.abs(places[:, None] - np.arange(old))
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = np.select([x < 1, x < 2], [near, far])  # noqa: PLR2004 - the kernel's pieces
    return np.asarray(np.rint(_WEIGHT * weights).astype(np.int64))


def _deform(
    fine: np.ndarray, sources: np.ndarray, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Deform the chosen digits, each in its own way.

    Args:
        fine: Enlarged digits ``(n, 72, 72)``.
        sources: Which of them, one for each image wanted.
        rng: Where the chance comes from.

    Yields:
        Images ``(250, 28, 28)`` uint8, the last ones perhaps fewer.
    """
    for start in range(0, len(sources), _CHUNK):
        chunk = sources[start : start + _CHUNK]
        rows, columns = _coordinates(len(chunk), rng)
        paper = _PAPER + _PEN * rng.standard_normal(len(chunk))
        yield _ink(_sample(fine, chunk, rows, columns), paper.clip(0, 1 - _EDGE))


def _coordinates(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw where in the enlarged source each pixel of an image looks.

    Returns:
        Rows and columns ``(count, 28, 28)`` int32, in 1/64 pixel of the enlarged source.
    """
    angle, shear, scale_y, scale_x, shift_y, shift_x = rng.standard_normal((6, count))
    cos, sin = np.cos(_ROTATION * angle), np.sin(_ROTATION * angle)
    wide, high = np.exp(_SCALE * scale_x), np.exp(_SCALE * scale_y)
    lean = _SHEAR * shear
    knots = _WARP * rng.standard_normal((2, count, _KNOTS, _KNOTS))
    spread = _linear(_KNOTS, _SIDE)
    warp_y, warp_x = np.einsum("ij,anjk,lk->anil", spread, knots, spread, optimize=True)

    centred = np.arange(_SIDE) - (_SIDE - 1) / 2
    y = centred[None, :, None] - (_SHIFT * shift_y)[:, None, None] + warp_y
    x = centred[None, None, :] - (_SHIFT * shift_x)[:, None, None] + warp_x
    turned_y = (cos / high)[:, None, None] * y + (sin / high)[:, None, None] * x
    turned_x = (cos / wide)[:, None, None] * x - (sin / wide)[:, None, None] * y
    turned_x += lean[:, None, None] * turned_y

    side = (_BOX + 2 * _MARGIN) * _FINE
    rows, columns = (
        np.rint(_STEPS * (_FINE * turned + (side - 1) / 2)).astype(np.int32)
        for turned in (turned_y, turned_x)
    )
    last = _STEPS * (side - 1) - 1
    return rows.clip(0, last), columns.clip(0, last)


def _linear(old: int, new: int) -> np.ndarray:
    """Give the matrix ``(new, old)`` of linear interpolation, ends on ends."""
    places = np.linspace(0, old - 1, new)
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(old))))


def _sample(
    fine: np.ndarray, sources: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Read the enlarged sources at fractional places, bilinearly, in integers.

    Returns:
        ``(count, 28, 28)`` of 0 to 255 · 64².
    """
    side = fine.shape[1]
    row, down = rows >> _BITS, rows & (_STEPS - 1)
    column, right = columns >> _BITS, columns & (_STEPS - 1)
    corner = (sources * side * side)[:, None, None] + row * side + column
    left = _STEPS - right
    above = fine.take(corner) * left + fine.take(corner + 1) * right
    corner += side
    below = fine.take(corner) * left + fine.take(corner + 1) * right
    return np.asarray(above * (_STEPS - down) + below * down)


def _ink(gray: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """Turn gray into paper, edge and ink.

    Args:
        gray: ``(count, 28, 28)`` of 0 to 255 · 64².
        paper: The share of the range that counts as paper, ``(count,)``.

    Returns:
        ``(count, 28, 28)`` uint8.
    """
    white = 255 * _STEPS**2
    above = gray - np.rint(paper * white).astype(np.int64)[:, None, None]
    ink = above * 255 // int(_EDGE * white)
    return np.asarray(ink.clip(0, 255).astype(np.uint8))
