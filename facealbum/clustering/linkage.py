"""Average linkage with constraints: the two most similar groups that may come together do, again and again.

Guarantee: at the end no two groups that may come together are similar enough.  Ties go to the smaller numbers, so
items in canonical order give one result.  Price: see facealbum.clustering.neighbours.

Note: mutual neighbours.  All pairs of groups that are each other's nearest are merged at once.  With average
linkage a merger never brings a third group nearer than its nearest part was, and a forbidden pair counts as
infinitely far, so these are the pairs that merging one by one would find, in a few rounds instead of thousands.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering.items import Items
from facealbum.clustering.neighbours import Apart, Means, NearPairs, Neighbours, Table
from facealbum.clustering.vectors import UNIT, Exact, means, sum_by

NOBODY = -1

MAX_TABLE = 2000
"""From more groups on the pairs that can matter are listed: as fast by then, and in less memory."""

_FULL = 0.6  # the share of groups that are not empty, below which the empty ones are forgotten


class Agglomeration:
    """Groups of items that grow.

    group_of: intp[items]; groups are numbered by their smallest item.  An item without a sound member is in
    group NOBODY and takes no part.  Of the sound members of each group: sums (int32[groups, d]), counts
    (intp[groups]), means (exact vectors) and ages (exact means of their ages' weights).
    """

    def __init__(self, items: Items, *, max_table: int = MAX_TABLE) -> None:
        sound_items = np.unique(items.item_of[items.sound])
        self._items = items
        self._max_table = max_table
        self.group_of = np.full(items.count, NOBODY, np.intp)
        self.group_of[sound_items] = np.arange(len(sound_items))
        group = self.group_of[items.item_of[items.sound]]
        self.sums, self.counts = sum_by(group, items.vectors[items.sound], groups=len(sound_items))
        self.means = means(self.sums, self.counts)
        self._age_sums, _ = sum_by(group, items.ages[items.sound], groups=len(sound_items))
        self.ages = means(self._age_sums, self.counts)

    def merge(self, similarity: float, *, within: NDArray[np.intp] | None = None) -> None:
        """Merge until nothing is similar enough; with `within`, intp[items], only among items of equal value."""
        least = similarity * UNIT
        region = None if within is None else within[self._first_items()]
        if region is not None and len(np.unique(region)) == len(region):
            return
        neighbours = self._neighbours(region, least=least)
        nearest, best = neighbours.search(np.arange(len(self.counts)), self._means())
        all_searched = True
        while True:
            left = _mutual(nearest, best, least=least)
            if not len(left) and all_searched:
                break
            all_searched = not len(left)
            if all_searched:
                # Means are rounded, so a merger may have come a hair nearer to a group that was not looked at again.
                stale = np.flatnonzero(self.counts)
            else:
                right = nearest[left]
                self._join(left, right)
                neighbours.join(left, right, self._means(), partial(self._apart, region))
                touched = np.zeros(len(best), np.bool_)
                touched[left] = touched[right] = True
                best[right] = -np.inf
                stale = np.flatnonzero((touched | touched[nearest]) & (self.counts > 0))
            nearest[stale], best[stale] = neighbours.search(stale, self._means())
            alive = self.counts > 0
            if alive.mean() < _FULL:
                place = self._close_gaps()
                nearest, best = place[nearest[alive]], best[alive]
                region = None if region is None else region[alive]
                if isinstance(neighbours, NearPairs) and len(best) <= self._max_table:
                    neighbours = self._neighbours(region, least=least)
                else:
                    neighbours.close_gaps(alive, place)
        self._close_gaps()

    def _neighbours(self, region: NDArray[np.intp] | None, *, least: float) -> Neighbours:
        if len(self.counts) <= self._max_table:
            return Table(self._means(), self._apart(region))
        return NearPairs(self._means(), self.counts, self._apart(region), least=least)

    def _means(self) -> Means:
        return Means(self.means, self.ages)

    def _apart(self, region: NDArray[np.intp] | None) -> Apart:
        """Who may not come together, as the groups are now."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - as in vectors

        item, meeting = self._items.meetings.T
        group = self.group_of[item]
        taking_part = group != NOBODY
        shape = (len(self.counts), int(meeting.max(initial=-1)) + 1)
        ones = np.ones(int(taking_part.sum()), np.bool_)
        return Apart(csr_array((ones, (group[taking_part], meeting[taking_part])), shape=shape), region)

    def _first_items(self) -> NDArray[np.intp]:
        """The smallest item of every group."""
        groups, items = np.unique(self.group_of, return_index=True)
        first: NDArray[np.intp] = items[groups != NOBODY]
        return first

    def _join(self, left: NDArray[np.intp], right: NDArray[np.intp]) -> None:
        """Put each group of `right` into its group of `left`; those of `right` are left empty."""
        sums, age_sums = self.sums[left] + self.sums[right], self._age_sums[left] + self._age_sums[right]
        counts = self.counts[left] + self.counts[right]
        self.sums[left], self._age_sums[left], self.counts[left] = sums, age_sums, counts
        self.means[left], self.ages[left] = means(sums, counts), means(age_sums, counts)
        self.counts[right] = 0
        place = np.arange(len(self.counts))
        place[right] = left
        self._renumber(place)

    def _close_gaps(self) -> NDArray[np.intp]:
        """Forget the empty groups; gives the new number of each of the others."""
        alive = self.counts > 0
        place = np.cumsum(alive) - 1
        self.sums, self.counts, self.means = self.sums[alive], self.counts[alive], self.means[alive]
        self._age_sums, self.ages = self._age_sums[alive], self.ages[alive]
        self._renumber(place)
        return place

    def _renumber(self, place: NDArray[np.intp]) -> None:
        taking_part = self.group_of != NOBODY
        self.group_of[taking_part] = place[self.group_of[taking_part]]


def _mutual(nearest: NDArray[np.intp], best: Exact, *, least: float) -> NDArray[np.intp]:
    """The smaller of each pair that are each other's nearest, and similar enough."""
    index = np.arange(len(nearest))
    return np.flatnonzero((best >= least) & (index < nearest) & (nearest[nearest] == index))
