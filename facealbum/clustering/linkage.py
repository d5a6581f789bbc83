"""Average linkage with constraints: the two most similar groups that may come together do, again and again.

Guarantee: at the end no two groups that may come together are similar enough.  Ties go to the smaller numbers, so
items in canonical order give one result.  Price: about twice the product of all vectors with all, in blocks of
bounded memory.

Note: mutual neighbours.  All pairs of groups that are each other's nearest are merged at once.  With average
linkage a merger never brings a third group nearer than its nearest part was, and a forbidden pair counts as
infinitely far, so these are the pairs that merging one by one would find, in a few rounds instead of thousands.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from facealbum.clustering.items import Items
from facealbum.clustering.vectors import UNIT, means, sum_by

NOBODY = -1

_BLOCK = 1 << 24  # similarities held at once: 64 MiB


class Agglomeration:
    """Groups of items that grow.

    group_of: intp[items]; groups are numbered by their smallest item.  An item without a sound member is in
    group NOBODY and takes no part.
    """

    def __init__(self, items: Items) -> None:
        sound_items = np.unique(items.item_of[items.sound])
        self._items = items
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
        best = np.full(len(self.counts), -np.inf, np.float32)
        nearest = np.arange(len(self.counts))
        stale = np.ones(len(self.counts), np.bool_)
        while stale.any():
            self._refresh(best, nearest, rows=np.flatnonzero(stale), region=region)
            left = np.flatnonzero(
                (nearest[nearest] == np.arange(len(nearest))) & (best >= least) & (np.arange(len(nearest)) < nearest)
            )
            if not len(left):
                # Means are rounded, so a merger may have come a hair nearer to a group that was not looked at again.
                stale[:] = not stale.all()
                continue
            right = nearest[left]
            merged = np.zeros(len(stale), np.bool_)
            merged[left] = merged[right] = True
            stale = merged | merged[nearest]
            keep, place = self._join(left, right)
            best, nearest, stale = best[keep], place[nearest[keep]], stale[keep]
            region = None if region is None else region[keep]

    def meetings(self) -> csr_array:
        """Booleans[groups, meetings]: which meetings each group takes part in."""
        item, meeting = self._items.meetings.T
        group = self.group_of[item]
        taking_part = group != NOBODY
        return csr_array(
            (
                np.ones(int(taking_part.sum()), np.bool_),
                (group[taking_part], meeting[taking_part]),
            ),
            shape=(len(self.counts), int(meeting.max(initial=-1)) + 1),
        )

    def _first_items(self) -> NDArray[np.intp]:
        """The smallest item of every group."""
        groups, items = np.unique(self.group_of, return_index=True)
        first: NDArray[np.intp] = items[groups != NOBODY]
        return first

    def _refresh(
        self,
        best: NDArray[np.float32],
        nearest: NDArray[np.intp],
        *,
        rows: NDArray[np.intp],
        region: NDArray[np.intp] | None,
    ) -> None:
        """Find for the groups in `rows` the nearest group each may join."""
        meetings = self.meetings()
        everybody = meetings.T.tocsr()
        step = max(1, _BLOCK // len(self.counts))
        for start in range(0, len(rows), step):
            block = rows[start : start + step]
            similar = self.means[block] @ self.means.T - self.ages[block] @ self.ages.T
            if region is not None:
                similar[region[block][:, None] != region[None, :]] = -np.inf
            together = (meetings[block] @ everybody).tocoo()
            similar[together.row, together.col] = -np.inf
            similar[np.arange(len(block)), block] = -np.inf
            nearest[block] = similar.argmax(axis=1)
            best[block] = similar[np.arange(len(block)), nearest[block]]

    def _join(self, left: NDArray[np.intp], right: NDArray[np.intp]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Put each group of `right` into its group of `left`; gives who is kept and everybody's new number."""
        keep = np.ones(len(self.counts), np.bool_)
        keep[right] = False
        place = np.cumsum(keep) - 1
        place[right] = place[left]
        self.sums[left] += self.sums[right]
        self.counts[left] += self.counts[right]
        self.means[left] = means(self.sums[left], self.counts[left])
        self._age_sums[left] += self._age_sums[right]
        self.ages[left] = means(self._age_sums[left], self.counts[left])
        self.sums, self.counts, self.means = self.sums[keep], self.counts[keep], self.means[keep]
        self._age_sums, self.ages = self._age_sums[keep], self.ages[keep]
        taking_part = self.group_of != NOBODY
        self.group_of[taking_part] = place[self.group_of[taking_part]]
        return keep, place
