"""How sure it is that each face is where it belongs.

Note: standing.  A face of a person is right if it fits there and the person is not another, larger one; a face of
nobody is right if it is none of the persons.  Users' words are certain.  A person's least sure faces are shown first,
so those confirmed vouch for the others: behind k confirmed faces that fit less, a doubt is 1 + k times smaller.
A face of nobody that was said not to be someone is the more likely a stranger to all.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.ids import FaceId
from facealbum.review.likeness import BELONGS, JOINS, SAME, Array, Likeness
from facealbum.review.view import FamilyView

SURE = 0.98
"""From which chance of being right a face is settled without a user's word."""
_FAR = 9.0  # no two are as unlike

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A row a face, in the order of the view, or a column a person, in that of the likeness.

    told: a user said whose the face is.  fits: the chance that it is its person, or none.  joins: that a face of
    nobody is whom it is most like.  same: float64[persons, persons], that two are one.  single: that a person is no
    other, larger one.  right: fits, and the person is single.  sizes: of each person, all faces.
    """

    owner: Rows
    ids: tuple[FaceId, ...]
    told: NDArray[np.bool_]
    fits: Array
    joins: Array
    same: Array
    single: Array
    right: Array
    sizes: NDArray[np.intp]

    @classmethod
    def of(cls, view: FamilyView, like: Likeness) -> Self:
        """By the likeness of all that the view holds."""
        held = like.owner >= 0
        sizes = np.array([view.sizes[person] for person in like.persons], np.intp)
        told = np.array([one.told for one in view.faces], np.bool_) & held
        joins = np.where(held, 0.0, _chances_to_join(view, like))
        fits = _chances_to_fit(like, told, 1 - joins)
        same = SAME(like.between)
        rank = np.lexsort((np.arange(len(sizes)), sizes)).argsort()
        single = np.where(rank[None, :] > rank[:, None], 1 - same, 1.0).prod(axis=1)
        right = np.where(told, 1.0, fits * np.where(held, single[like.owner], 1.0))
        ids = tuple(one.face.face_id for one in view.faces)
        return cls(like.owner, ids, told, fits, joins, same, single, right, sizes)

    def rows(self, who: int) -> Rows:
        """The faces of the person."""
        return np.flatnonzero(self.owner == who)

    def named(self, rows: Rows) -> tuple[FaceId, ...]:
        """The ids of these faces."""
        return tuple(self.ids[row] for row in rows.tolist())


def degree(chance: Array) -> Array:
    """How far on the way to being settled, 0 to 1: the digits of the doubt, of those that SURE leaves."""
    return np.asarray(np.minimum(np.log(np.maximum(1 - chance, 1e-9)) / np.log(1 - SURE), 1.0), np.float64)


def _chances_to_join(view: FamilyView, like: Likeness) -> Array:
    said = Counter(face for face, _ in view.rejected)
    times = np.array([said[one.face.face_id] for one in view.faces], np.float64)
    best = like.to.max(axis=1, initial=-np.inf)
    return JOINS(np.nan_to_num(best, neginf=-_FAR) - times / JOINS.slope)


def _chances_to_fit(like: Likeness, told: NDArray[np.bool_], fits: Array) -> Array:
    """fits: the chances of the faces of nobody, and anything for the others."""
    rows = np.flatnonzero(like.owner >= 0)
    own = like.to[rows, like.owner[rows]]
    fits[rows] = np.where(np.isnan(own), 1.0, BELONGS(np.nan_to_num(own)))
    for who in range(len(like.persons)):
        rows = np.flatnonzero(like.owner == who)
        confirmed = np.sort(fits[rows[told[rows]]])
        fits[rows] = 1 - (1 - fits[rows]) / (1 + np.searchsorted(confirmed, fits[rows], side="right"))
    fits[told] = 1.0
    return fits
