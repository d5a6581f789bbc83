"""The two sides into which the faces of one person fall most easily: a suggestion for whoever splits it.

They are what average linkage joins last.  Must-linked faces are on one side, and no two that can't be one leave
together: where photos show the person several times over, more than two sides are left, and the largest two count.
Price: quadratic in LEADING faces, which a spread over time leads; the others follow the side they are most like.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering.items import Items, build_items
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.problem import ClusteringProblem, Constraints, Observation
from facealbum.clustering.vectors import UNIT
from facealbum.domain.ids import FaceId

LEADING = 300


@dataclass(frozen=True, slots=True)
class Halves:
    """The side that stays and the one to split off, which is no larger, each sorted by id.

    similarity: mean cosine similarity of the faces of one to those of the other that lead, less what their ages ask;
    -1 to 1.  The smaller it is, the likelier are they two people.
    """

    stays: tuple[FaceId, ...]
    leaves: tuple[FaceId, ...]
    similarity: float


def halve(faces: Sequence[Observation], parameters: ClusteringParameters, *, constraints: Constraints) -> Halves | None:
    """The two sides; None for faces that users said are all one.

    Faces beyond two sides that nothing may join are left to another split, and stay.
    """
    items = build_items(ClusteringProblem(tuple(faces), constraints=constraints), parameters)
    if items.count < 2:  # noqa: PLR2004 - there is one side
        return None
    tree = _Tree(items, _leading(items))
    while len(tree.alive) > 2 and tree.join_nearest():  # noqa: PLR2004 - the two sides
        pass
    return tree.halves()


def _leading(items: Items) -> NDArray[np.bool_]:
    """bool[members]: sound faces, LEADING at most, evenly over time; all kinds of them if too few are sound."""
    good = items.sound if len(np.unique(items.item_of[items.sound])) > 1 else np.ones(len(items.members), np.bool_)
    rows = sorted(np.flatnonzero(good).tolist(), key=lambda row: (items.members[row].taken_at, row))
    chosen = rows if len(rows) <= LEADING else [rows[place * len(rows) // LEADING] for place in range(LEADING)]
    leading = np.zeros(len(items.members), np.bool_)
    leading[chosen] = True
    return leading


class _Tree:
    """Groups of items that grow until two are left; alive: the items that stand for their groups."""

    def __init__(self, items: Items, leading: NDArray[np.bool_]) -> None:
        self._items = items
        self._sums = np.zeros((items.count, items.vectors.shape[1] + items.ages.shape[1]))
        self._turned = np.concatenate([items.vectors, -items.ages], axis=1).astype(np.float64)
        self._counts = np.bincount(items.item_of[leading], minlength=items.count)
        np.add.at(self._sums, items.item_of[leading], np.concatenate([items.vectors, items.ages], axis=1)[leading])
        self._apart = np.zeros((items.count, items.count), np.bool_)
        for meeting in items.apart:
            self._apart[np.ix_(meeting.items, meeting.items)] = True
        self._group = np.arange(items.count)
        self.alive = np.flatnonzero(self._counts)
        leads = np.ix_(self.alive, self.alive)
        self._near = np.full((items.count, items.count), -np.inf)
        self._near[leads] = self._similar(self._sums[self.alive] / self._counts[self.alive, None])

    def join_nearest(self) -> bool:
        """Join the two most similar groups that may come together; tells whether there were any."""
        alive = np.ix_(self.alive, self.alive)
        near = np.where(self._apart[alive], -np.inf, self._near[alive])
        np.fill_diagonal(near, -np.inf)
        one, other = (self.alive[place] for place in divmod(int(near.argmax()), len(self.alive)))
        if near.max() == -np.inf:
            return False
        self._join(one, other)
        self.alive = self.alive[self.alive != other]
        means = self._sums[self.alive] / self._counts[self.alive, None]
        self._near[one, self.alive] = self._near[self.alive, one] = means @ self._turn(self._mean(one)) / UNIT
        return True

    def halves(self) -> Halves:
        """The two largest groups, and whom the others follow."""
        self.alive = self.alive[np.argsort(-self._counts[self.alive], kind="stable")]
        sides = self.alive[:2]
        similarity = float(self._mean(sides[0]) @ self._turn(self._mean(sides[1])) / UNIT)
        for item in np.flatnonzero(self._counts == 0).tolist():
            self._follow(item, sides)
        on = self._group[self._items.item_of]
        sized = sorted(sides, key=lambda side: -np.count_nonzero(on == side))
        leaves = {member.face_id for member, its in zip(self._items.members, on, strict=True) if its == sized[1]}
        stays = {member.face_id for member in self._items.members} - leaves
        return Halves(tuple(sorted(stays)), tuple(sorted(leaves)), round(similarity, 6))

    def _follow(self, item: int, sides: NDArray[np.intp]) -> None:
        """Put an item that leads nowhere on the side that it is more like, if that is possible."""
        its = self._turned[self._items.item_of == item].mean(axis=0)
        for side in sorted(sides, key=lambda side: -float(its @ self._mean(side))):
            if not self._apart[item, side]:
                self._group[item] = side
                self._apart[side] |= self._apart[item]
                self._apart[:, side] = self._apart[side]
                return

    def _join(self, one: int, other: int) -> None:
        self._sums[one] += self._sums[other]
        self._counts[one] += self._counts[other]
        self._counts[other] = -1
        self._group[self._group == other] = one
        self._apart[one] |= self._apart[other]
        self._apart[:, one] = self._apart[one]

    def _mean(self, group: int) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = self._sums[group] / self._counts[group]
        return mean

    def _turn(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """With what ages ask negative, so that a product takes it away."""
        turned = rows.copy()
        turned[..., self._items.vectors.shape[1] :] *= -1
        return turned

    def _similar(self, means: NDArray[np.float64]) -> NDArray[np.float64]:
        near: NDArray[np.float64] = means @ self._turn(means).T / UNIT
        return near
