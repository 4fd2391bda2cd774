"""What would turn the wanted numbers into the given ones: a sign, a factor, an order, an axis.

Each sentence is true of the numbers whatever the student had in mind, so that it can be told
without knowing the code.
"""

import math

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Shape = tuple[int | None, ...]
"""In a wanted one, an axis of ``None`` may have any length; in a found one, nobody knows it."""

NEAR = 1e-6
"""How far a number may be off, as a share of it, and still be the same."""
ROUNDED = 0.01
"""A number that is off by less than this share is nearly right."""
PLAIN_FACTORS = range(2, 11)
"""Factors that are no chance between two single numbers."""


def slip_of_numbers(wanted: Numbers, found: Numbers) -> str:
    """Say how the numbers found differ from those wanted, both of one shape.

    Returns:
        A sentence, empty when nothing simple leads from one to the other.
    """
    wanted, found = wanted.ravel(), found.ravel()
    if not np.isfinite(wanted).all():
        return ""
    if not np.isfinite(found).all():
        return "A division by 0, a logarithm of 0 or a power too large for a float gives no number."
    names = (_sign, _offset, _factor, _order, _rounding, _share)
    with np.errstate(all="ignore"):  # a difference of the largest numbers is no number
        return next(filter(None, (name(wanted, found) for name in names)), "")


def _same(one: Numbers, other: Numbers) -> bool:
    return bool(np.allclose(one, other, rtol=NEAR, atol=NEAR))


def _sign(wanted: Numbers, found: Numbers) -> str:
    return "Mind the sign: it is the other way round." if _same(found, -wanted) else ""


def _offset(wanted: Numbers, found: Numbers) -> str:
    off = found - wanted
    many = off.size > 1
    if not _same(off, np.full_like(off, off[0])) or not (many or math.isclose(abs(off[0]), 1)):
        return ""
    word = "large" if off[0] > 0 else "small"
    return f"{'Every number' if many else 'It'} is {abs(off[0]):.7g} too {word}."


def _factor(wanted: Numbers, found: Numbers) -> str:
    if not wanted.any() or not found.any():
        return ""
    place = int(np.argmax(np.abs(wanted)))
    factor = float(found[place] / wanted[place])
    if factor == 0 or not _same(found, factor * wanted):
        return ""
    plain = any(math.isclose(each, each_way) for each_way in (abs(factor), 1 / abs(factor))
                for each in PLAIN_FACTORS)  # fmt: skip
    if found.size == 1 and not plain:
        return ""
    what = "Every number" if found.size > 1 else "It"
    if abs(factor) < 1:
        return f"{what} is what is wanted divided by {1 / factor:.7g}."
    return f"{what} is {factor:.7g} times what is wanted."


def _order(wanted: Numbers, found: Numbers) -> str:
    return "The right numbers, in another order." if _same(np.sort(wanted), np.sort(found)) else ""


def _rounding(wanted: Numbers, found: Numbers) -> str:
    nearly = bool((np.abs(found - wanted) <= ROUNDED * np.abs(wanted)).all())
    return "Nearly: is something rounded, or left out that is small?" if nearly else ""


def _share(wanted: Numbers, found: Numbers) -> str:
    right = int(np.isclose(found, wanted, rtol=NEAR, atol=NEAR).sum())
    return f"{right} of {found.size} numbers are right." if right else ""


def is_of_shape(wanted: Shape, found: Shape) -> bool:
    """Whether a shape is the wanted one."""
    return len(wanted) == len(found) and all(
        want in (None, have) for want, have in zip(wanted, found, strict=True)
    )


def slip_of_shape(wanted: Shape, found: Shape) -> str:
    """Say how one shape becomes the other; empty when they are the same."""
    if is_of_shape(wanted, found):
        return ""
    long = [tuple(axis for axis in shape if axis != 1) for shape in (wanted, found)]
    more = "too many" if len(found) > len(wanted) else "missing"
    sizes = [math.prod(axis for axis in shape if axis is not None) for shape in (wanted, found)]
    sentences = {
        "The axes are the other way round.": len(wanted) > 1 and found == wanted[::-1],
        f"An axis of length 1 is {more}.": long[0] == long[1],
        "One number is wanted, not one for each entry.": not wanted,
        "One number is not enough: what is added up, or counted, that should stay?": not found,
        "As many numbers as wanted, in another shape.": (
            None not in (*wanted, *found) and sizes[0] == sizes[1]
        ),
        f"It has {len(found)} axes instead of {len(wanted)}.": len(found) != len(wanted),
    }
    return next((each for each, holds in sentences.items() if holds), _axis(wanted, found))


def _axis(wanted: Shape, found: Shape) -> str:
    pairs = enumerate(zip(wanted, found, strict=False))
    first = next((axis for axis, (want, have) in pairs if want not in (None, have)), 0)
    return f"Axis {first} has another length than wanted."
