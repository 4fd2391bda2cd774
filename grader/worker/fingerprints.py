"""Recognises rows of numbers, however they were scaled or reshaped.

A row is multiplied with a few vectors of equally many ones and minus ones: adding a number to the
whole row changes nothing, and a factor lengthens all products alike. The products, brought to
length 1, are therefore the same for an image of bytes, the same image between 0 and 1, and the same
image standardised as a whole. Of long rows only a part is looked at, which is proof enough.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

PRODUCTS = 8
CLOSE = 1e-5
"""What rounding leaves between the same rows in single precision."""
CLOSE_HALF = 2e-3
"""In half precision."""
NOTHING = 1e-6
FEW = 8
"""Columns up to which each is looked at by itself."""
LONG, PART = 512, 384
"""Columns beyond which a part is looked at: so many from the middle."""
WIDE, MARKS, FREQUENT = 4096, 4, 512
"""Columns beyond which a row stands for a text: a place for each word, the frequent ones first.
Keras' marks (padding, start, unknown) are left out: they depend on the size of the vocabulary."""
MOST_VALUES = 40_000_000
MOST_ROWS = 100_000
SAMPLED_ROWS = 20_000
SAMPLED_HALF = 2_000
"""A row of half precision resembles many: it takes long to find the right one."""
BLOCK = 256
"""Rows that fit into a processor's cache."""
LONGEST_SEARCH = 2_000
A_FEW = 50
"""Rows that tell whether it is worth while to look for more like them."""
_SEED = 1998
_NEW = np.uint64(1 << 63)

Array = np.ndarray[Any, Any]


def columns(width: int) -> slice:
    """Tell which part of a row is looked at."""
    if width > WIDE:
        return slice(MARKS, MARKS + FREQUENT)
    if width > LONG:
        return slice((width - PART) // 2, (width - PART) // 2 + PART)
    return slice(0, width)


def _vectors(length: int) -> Array:
    """Make the vectors, ``(length, 9)``: always the same ones, each but the last with the sum 0."""
    if length <= FEW:
        vectors = np.eye(length) - 1 / length
    else:
        rng = np.random.default_rng(_SEED)
        column = np.resize([1.0, -1.0], length)
        column[length - length % 2 :] = 0
        vectors = np.stack([rng.permutation(column) for _ in range(PRODUCTS)], axis=1)
    return np.append(vectors, np.ones((length, 1)), axis=1).astype(np.float32)


def directions(rows: Array) -> Array:
    """Give each row's products, brought to length 1; NaN where a row says nothing.

    Args:
        rows: Samples first, any shape, numbers of any type.

    Returns:
        ``(rows, 8)`` float32.
    """
    vectors = _vectors(_length(rows))
    products = np.empty((len(rows), vectors.shape[1]), np.float32)
    with np.errstate(all="ignore"):  # NaN and infinities are a finding, not a mistake of ours
        for place, block in _blocks(rows):
            np.matmul(block, vectors, out=products[place])
        products, sums = products[:, :-1], products[:, -1]
        lengths = np.sqrt(np.einsum("ij,ij->i", products, products))
        # Of a row of equal numbers, nothing but the rounding is left.
        lengths[lengths <= NOTHING * np.abs(sums)] = np.nan
        return np.asarray(products / lengths[:, None])


def hashes(rows: Array) -> Array:
    """Hash each row: equal rows, equal numbers; in single precision, whatever they are in."""
    rng = np.random.default_rng(_SEED)
    factors = rng.integers(0, 1 << 63, _length(rows), dtype=np.uint64) | np.uint64(1)
    found = np.empty(len(rows), np.uint64)
    with np.errstate(all="ignore"):
        for place, block in _blocks(rows):
            bits = np.ascontiguousarray(block).view(np.uint32)
            found[place] = bits.astype(np.uint64) @ factors
    return found ^ (found >> np.uint64(32))


def _length(rows: Array) -> int:
    """How many numbers of a row are looked at."""
    part = columns(rows[0].size)
    return int(part.stop - part.start)


def _blocks(rows: Array) -> Iterator[tuple[slice, Array]]:
    """Cut an array into blocks of rows in single precision, without a copy of the whole."""
    width = rows[0].size
    part = columns(width)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        block = block.reshape(len(block), width)[:, part].astype(np.float32, copy=False)
        yield slice(start, start + len(block)), block


class Table:
    """Rows to be found again.

    Args:
        known: Their directions, ``(rows, 8)``.
    """

    def __init__(self, known: Array) -> None:
        self._known = known
        self._order = np.argsort(known[:, 0], kind="stable")
        self._sorted = known[self._order]
        self._first = np.ascontiguousarray(self._sorted[:, 0])

    def find(self, wanted: Array, close: float = CLOSE, step: int = 1) -> Array:
        """Give each direction's place among the known rows, -1 where there is none.

        Args:
            wanted: Directions.
            close: How far two directions of the same row may be apart.
            step: How far apart the rows are that stand one after the other in ``wanted``.
        """
        places = np.full(len(wanted), -1)
        if wanted.shape[1] != self._known.shape[1]:
            return places
        # Most arrays have the order of the data: what follows the first row is soon told.
        (start,) = self._search(wanted[:1], close)
        if start >= 0:
            following = np.arange(start, len(self._known), step)[: len(wanted)]
            known, wanted_here = self._known[following], wanted[: len(following)]
            same = (np.abs(known - wanted_here) <= close).all(axis=1)
            places[: len(following)][same] = following[same]
        left = np.flatnonzero(places < 0)
        places[left] = self._search(wanted[left], close)
        return places

    def _search(self, wanted: Array, close: float) -> Array:
        places = np.full(len(wanted), -1)
        rows = np.flatnonzero(np.isfinite(wanted[:, 0]))
        first = wanted[rows, 0]
        here = np.searchsorted(self._first, first - np.float32(close))
        end = np.searchsorted(self._first, first + np.float32(close), side="right")
        for _ in range(LONGEST_SEARCH):
            going = here < end
            rows, here, end = rows[going], here[going], end[going]
            if not len(rows):
                break
            same = (np.abs(self._sorted[here] - wanted[rows]) <= close).all(axis=1)
            places[rows[same]] = self._order[here[same]]
            rows, here, end = rows[~same], here[~same] + 1, end[~same]
        return places


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The rows of a served data set, and what belongs to them."""

    width: int
    """Numbers in a row; 0 for texts, of which each vocabulary makes another width."""
    table: Table
    """Training rows first, then those test rows that are no training rows."""
    training: int
    """How many training rows there are."""
    in_test: Array
    """Each row's place in the test set, -1 where it has none."""
    labels: Array
    """Each row's label."""

    @property
    def share(self) -> float:
        """The share of training rows that are served as test rows as well."""
        return float((self.in_test[: self.training] >= 0).mean())


def served(train: Array, y_train: Array, test: Array, y_test: Array, *, width: int) -> Served:
    """Know a data set by the directions of its rows."""
    places = Table(train).find(test)
    new = places < 0
    table = Table(np.concatenate([train, test[new]]))
    in_test = np.full(len(train) + int(new.sum()), -1)
    places[new] = np.arange(len(train), len(in_test))
    in_test[places] = np.arange(len(test))
    return Served(
        width=width,
        table=table,
        training=len(train),
        in_test=in_test,
        labels=np.concatenate([y_train.ravel(), y_test.ravel()[new]]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The rows of one array, recognised as far as they are known."""

    data: Served | None
    """The served data of the same width."""
    total: int
    """Rows of the array."""
    rows: Array
    """Which of them were looked at."""
    places: Array
    """Their places in the served data, -1 where they are none of it."""
    identities: Array
    """The same number for the same row; 0 for a row that says nothing."""

    def part(self, start: int, end: int) -> "Looked":
        """Give those of a range of rows."""
        own = (self.rows >= start) & (self.rows < end)
        return Looked(
            data=self.data,
            total=end - start,
            rows=self.rows[own],
            places=self.places[own],
            identities=self.identities[own],
        )

    @property
    def repeated(self) -> int | None:
        """How many rows stood there before; ``None`` when not all were looked at."""
        if len(self.rows) < self.total:
            return None
        telling = self.identities[self.identities != 0]
        return len(telling) - len(np.unique(telling))

    def shared_with(self, other: "Looked") -> int:
        """How many of these rows are rows of another array, too."""
        telling = self.identities[self.identities != 0]
        hits = int(np.isin(telling, other.identities).sum())
        scale = self.total / max(len(self.rows), 1) * other.total / max(len(other.rows), 1)
        return min(round(hits * scale), self.total)


def look(array: Array, known: "Known") -> Looked | None:
    """Recognise the rows of an array; ``None`` for what has no rows of numbers.

    Args:
        array: Samples first, any shape and type.
        known: The served data.
    """
    if array.ndim < 2 or not array.size or array.dtype.kind not in "biuf":  # noqa: PLR2004
        return None
    total, width = len(array), array.size // len(array)
    half = array.dtype == np.float16
    step = _step(total, width, half=half)
    numbers = np.arange(0, total, step)
    rows = array[::step]
    found = directions(rows)
    telling = np.isfinite(found[:, 0])
    data = known.of_width(width)
    places = np.full(len(rows), -1)
    if data is not None:
        places = _places(data.table, found, CLOSE_HALF if half else CLOSE, step)
    identities = places.astype(np.uint64) + np.uint64(1)
    new = np.flatnonzero(telling & (places < 0))
    if len(new):
        many = len(new) > len(rows) // 2
        identities[new] = (hashes(rows)[new] if many else hashes(rows[new])) | _NEW
    identities[~telling] = 0
    return Looked(data=data, total=total, rows=numbers, places=places, identities=identities)


def _places(table: Table, found: Array, close: float, step: int) -> Array:
    """Find rows, or where most are not to be found, their negatives: black on white."""
    places = table.find(found, close, step)
    if (places >= 0).sum() < len(found) // 2:
        few = -found[:: len(found) // A_FEW + 1]
        if (table.find(few, close) >= 0).sum() > len(few) // 2:
            return table.find(-found, close, step)
    return places


def _step(rows: int, width: int, *, half: bool) -> int:
    looked_at = columns(width)
    if half:
        most = SAMPLED_HALF
    elif rows <= MOST_ROWS and rows * (looked_at.stop - looked_at.start) <= MOST_VALUES:
        most = rows
    else:
        most = SAMPLED_ROWS
    return -(-rows // most)


class Known:
    """All that is known of the served data.

    Args:
        sets: One for each data set.
    """

    def __init__(self, *sets: Served) -> None:
        self.sets = sets

    def of_width(self, width: int) -> Served | None:
        """Give the data set whose rows are so wide."""
        wanted = 0 if width > WIDE else width
        return next((one for one in self.sets if one.width == wanted), None)
