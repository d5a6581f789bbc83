"""Who is nearest to whom: all similarities of the groups as a table or, of many groups, the pairs that can matter.

Guarantee: both find exactly the same.  Price: one product of all vectors with all; then a product with all for each
group that grew (Table), or with those listed for it (NearPairs).  The memory of NearPairs grows with the number of
groups only.

Note: limits.  In NearPairs each group has a limit, and every group nearer to it than that is listed.  With average
linkage two groups that join are no nearer to a third one than the mean of both was, so their limit is the mean of
theirs.  This holds before means are rounded; rounding moves a similarity by less than ROUNDING.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

from facealbum.clustering.vectors import ROUNDING, Exact

Numbers: TypeAlias = NDArray[np.intp]
Rows: TypeAlias = Numbers | slice
Pairs: TypeAlias = NDArray[np.intp]
"""intp[n, 2] of two groups, the smaller number first."""

Found: TypeAlias = tuple[Numbers, Exact]
"""For each row the nearest group, the smallest of equals, and its similarity; -inf if there is none."""

_TILE = 2048
_ROWS = 256
_LISTED = 40  # about as many are listed for a group
_TOGETHER = 1024  # pairs multiplied at once: what a core keeps near
_NUMBER_BITS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """The groups to compare: the means of their vectors and of their ages' weights, both exact."""

    vectors: Exact
    ages: Exact

    def similar(self, rows: Rows, columns: Rows) -> Exact:
        """Each of the rows with each of the columns."""
        similar: Exact = self.vectors[rows] @ self.vectors[columns].T
        mine, others = self.ages[rows], self.ages[columns].T
        for start in range(0, len(mine), _ROWS):
            similar[start : start + _ROWS] -= mine[start : start + _ROWS] @ others
        return similar

    def similar_pairs(self, pairs: Pairs) -> Exact:
        """The two of each pair."""
        found = np.empty(len(pairs), np.float32)
        for start in range(0, len(pairs), _TOGETHER):
            one, other = pairs[start : start + _TOGETHER].T
            likeness = np.einsum("ij,ij->i", self.vectors[one], self.vectors[other])
            found[start : start + _TOGETHER] = likeness - np.einsum("ij,ij->i", self.ages[one], self.ages[other])
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """Which groups may not come together: those with a meeting in common, and those of different regions if any.

    meetings: booleans[groups, meetings].  region: intp[groups].
    """

    meetings: "csr_array"
    region: Numbers | None

    def of_pairs(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Whether the two of each pair may not."""
        one, other = pairs.T
        apart = np.zeros(len(pairs), np.bool_) if self.region is None else self.region[one] != self.region[other]
        if self.meetings.nnz:
            apart |= self.meetings[one].multiply(self.meetings[other]).sum(axis=1) > 0
        return apart

    def mark(self, similar: Exact, rows: Numbers, columns: Numbers) -> None:
        """Write -inf where a row and a column may not come together, or are one."""
        together = (self.meetings[rows] @ self.meetings[columns].T).tocoo()
        similar[together.row, together.col] = -np.inf
        if self.region is not None:
            similar[self.region[rows][:, None] != self.region[columns]] = -np.inf
        similar[np.arange(len(rows)), np.searchsorted(columns, rows)] = -np.inf


class Neighbours(Protocol):
    """The nearest group that each may join; groups that have gone into others are left empty until `close_gaps`."""

    def search(self, rows: Numbers, means: Means) -> Found:
        """The nearest to each of these groups, none of which is empty."""
        ...

    def join(self, left: Numbers, right: Numbers, means: Means, apart: Callable[[], Apart]) -> None:
        """Each group of `right` went into its group of `left`; `means` and `apart` are as they are since."""
        ...

    def close_gaps(self, alive: NDArray[np.bool_], place: Numbers) -> None:
        """Forget the empty groups; `place` holds the new number of each of the others."""
        ...


class Table:
    """float32[groups, groups]: -inf on the diagonal and where two groups may not come together."""

    def __init__(self, means: Means, apart: Apart) -> None:
        self._table = means.similar(slice(None), slice(None))
        self._empty = np.zeros(len(self._table), np.float32)
        everybody = np.arange(len(self._table))
        apart.mark(self._table, everybody, everybody)

    def search(self, rows: Numbers, means: Means) -> Found:
        """See Neighbours."""
        del means
        nearest, best = np.empty(len(rows), np.intp), np.empty(len(rows), np.float32)
        for start in range(0, len(rows), _ROWS):
            some = slice(start, start + _ROWS)
            similar = self._table[rows[some]]
            similar += self._empty
            nearest[some], best[some] = _first_largest(similar)
        return nearest, best

    def join(self, left: Numbers, right: Numbers, means: Means, apart: Callable[[], Apart]) -> None:
        """See Neighbours; a group may join none that either of its parts may not join."""
        del apart
        fresh = means.similar(left, slice(None))
        forbidden = (self._table[left] == -np.inf) | (self._table[right] == -np.inf)
        forbidden[:, left] |= forbidden[:, right]
        np.copyto(fresh, -np.inf, where=forbidden)
        self._table[left] = fresh
        self._table[:, left] = fresh.T
        self._empty[right] = -np.inf

    def close_gaps(self, alive: NDArray[np.bool_], place: Numbers) -> None:
        """See Neighbours."""
        del place
        self._table, self._empty = self._table[alive][:, alive], self._empty[alive]


class NearPairs:
    """The pairs that are nearer than the limit of either group; see the note on limits."""

    def __init__(self, means: Means, counts: Numbers, apart: Apart, *, least: float) -> None:
        self._counts = counts.copy()
        self._apart = apart
        self._floor = least - 2 * ROUNDING - 1  # two groups that are less similar will never be one
        limits = np.maximum(_sample_limits(means), self._floor).astype(np.float32)
        pairs = np.concatenate([_near(means, limits, rows, columns) for rows, columns in _tiles(len(counts))])
        self._limits = limits.astype(np.float64) + ROUNDING
        self._pairs = pairs[~apart.of_pairs(pairs)]
        self._similar = means.similar_pairs(self._pairs)

    def search(self, rows: Numbers, means: Means) -> Found:
        """See Neighbours; a group that no longer has anybody nearer than its limit is compared with all."""
        nearest, best = self._look_up(rows)
        limits = self._limits[rows]
        unsure = np.flatnonzero((best <= limits + ROUNDING) & (limits > self._floor + ROUNDING))
        for start in range(0, len(unsure), _ROWS):
            some = unsure[start : start + _ROWS]
            nearest[some], best[some] = self._compare_with_all(rows[some], means)
        return nearest, best

    def join(self, left: Numbers, right: Numbers, means: Means, apart: Callable[[], Apart]) -> None:
        """See Neighbours."""
        self._apart = apart()
        share = self._counts[left] / (self._counts[left] + self._counts[right])
        self._limits[left] = share * self._limits[left] + (1 - share) * self._limits[right]
        self._counts[left] += self._counts[right]
        self._counts[right] = 0
        place = np.arange(len(self._counts))
        place[right] = left
        grown = np.zeros(len(place), np.bool_)
        grown[left] = grown[right] = True
        touched = grown[self._pairs].any(axis=1)
        again = place[self._pairs[touched]]
        self._pairs, self._similar = self._pairs[~touched], self._similar[~touched]
        self._list(again, means)

    def close_gaps(self, alive: NDArray[np.bool_], place: Numbers) -> None:
        """See Neighbours."""
        self._pairs = place[self._pairs]
        self._counts, self._limits = self._counts[alive], self._limits[alive]

    def _look_up(self, rows: Numbers) -> Found:
        """The nearest of those listed."""
        place = np.full(len(self._counts), -1)
        place[rows] = np.arange(len(rows))
        best = np.full(len(rows), -1, np.int64)
        for one, other in (self._pairs.T, self._pairs.T[::-1]):
            wanted = np.flatnonzero(place[one] >= 0)
            np.maximum.at(best, place[one[wanted]], _pack(self._similar[wanted], other[wanted]))
        return _unpack(best)

    def _compare_with_all(self, rows: Numbers, means: Means) -> Found:
        """Search everybody for these rows, and list those that are nearest."""
        alive = np.flatnonzero(self._counts)
        similar = means.similar(rows, alive)
        self._apart.mark(similar, rows, alive)
        rank = max(0, len(alive) - _LISTED)
        limits = np.maximum(np.partition(similar, rank, axis=1)[:, rank], self._floor)
        self._limits[rows] = limits + ROUNDING
        row, column = np.divmod(np.flatnonzero(similar > limits[:, None]), len(alive))
        self._list(np.stack([rows[row], alive[column]], axis=1), means)
        nearest, best = _first_largest(similar)
        return alive[nearest], best

    def _list(self, pairs: Pairs, means: Means) -> None:
        """Add those pairs that may come together, are near enough to matter and are not listed yet."""
        known = self._pairs[:, 0] << _NUMBER_BITS | self._pairs[:, 1]
        pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
        new = np.setdiff1d(pairs[:, 0] << _NUMBER_BITS | pairs[:, 1], known)
        pairs = np.stack(np.divmod(new, 1 << _NUMBER_BITS), axis=1)
        pairs = pairs[~self._apart.of_pairs(pairs)]
        similar = means.similar_pairs(pairs)
        near = similar + ROUNDING > self._limits[pairs].min(axis=1)
        self._pairs = np.concatenate([self._pairs, pairs[near]])
        self._similar = np.concatenate([self._similar, similar[near]])


def _first_largest(similar: Exact) -> Found:
    """The largest of each row, and the first column that has it."""
    if not similar.size:
        return np.zeros(len(similar), np.intp), np.full(len(similar), -np.inf, np.float32)
    nearest = similar.argmax(axis=1)
    return nearest, similar[np.arange(len(similar)), nearest]


def _sample_limits(means: Means) -> Exact:
    """For each group a similarity beyond which about _LISTED others are, judged by every so many."""
    count = len(means.vectors)
    step = max(1, count // _TILE)
    limits = np.empty(count, np.float32)
    for start in range(0, count, _TILE):
        similar = means.similar(slice(start, start + _TILE), slice(None, None, step))
        rank = max(0, similar.shape[1] - max(2, round(_LISTED / step)))
        limits[start : start + _TILE] = np.partition(similar, rank, axis=1)[:, rank]
    return limits


def _tiles(count: int) -> Iterator[tuple[slice, slice]]:
    """The tiles on and above the diagonal."""
    starts = range(0, count, _TILE)
    return ((slice(i, i + _TILE), slice(j, j + _TILE)) for i in starts for j in starts if i <= j)


def _near(means: Means, limits: Exact, rows: slice, columns: slice) -> Pairs:
    """The pairs of one tile that are nearer than the limit of either."""
    similar = means.similar(rows, columns)
    near = similar > limits[rows, None]
    near |= similar > limits[columns]
    if rows == columns:
        near = np.triu(near, 1)
    row, column = np.divmod(np.flatnonzero(near), near.shape[1])
    return np.stack([row + rows.start, column + columns.start], axis=1)


def _pack(similar: Exact, number: Numbers) -> NDArray[np.int64]:
    """Whole numbers from 0 on that compare by similarity, then for the smaller number."""
    return ((similar.astype(np.int64) + (1 << 25)) << _NUMBER_BITS) + ((1 << _NUMBER_BITS) - 1 - number)


def _unpack(packed: NDArray[np.int64]) -> Found:
    similar, number = np.divmod(packed, 1 << _NUMBER_BITS)
    found = packed >= 0
    return np.where(found, (1 << _NUMBER_BITS) - 1 - number, 0), np.where(
        found, (similar - (1 << 25)).astype(np.float32), np.float32(-np.inf)
    )
