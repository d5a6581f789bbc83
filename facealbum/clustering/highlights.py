"""The best photos of some time: good ones, and not the same day, moment or company again and again.

A choice is worth what its photos are worth, less the more of them are alike: of a moment (photos taken shortly after
each other) the best one counts, of a day and of a company (who is shown together) the square root of the sum.  That is
a monotone submodular function, the diversity reward of Lin & Bilmes (2011, "A class of submodular functions for
document summarization") with facility location for moments, so taking the photo that adds most, again and again,
reaches at least 1 - 1/e of the best choice (Nemhauser, Wolsey & Fisher 1978).
Guarantee: the choice depends on the photos alone, and of two counts the smaller one's choice begins the larger one's.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.ids import PhotoId

_MOMENT = timedelta(minutes=10)
"""Photos that follow each other faster are of one moment."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo or video that may be chosen; worth: 0 to 1; company: who is shown."""

    photo_id: PhotoId
    taken_at: datetime
    worth: float
    company: frozenset[UUID]


def plan_highlights(shots: Collection[Shot], count: int) -> tuple[Shot, ...]:
    """Up to `count` of the shots, the one that adds most first; of equal ones that with the smaller id.

    Days are those of UTC.  Takes time and memory in proportion to shots, for each that is chosen.
    """
    left = sorted(shots, key=lambda shot: shot.photo_id)
    worth = np.array([shot.worth for shot in left], np.float64)
    moments = _Group(_moments(left))
    days = _Group([shot.taken_at.astimezone(UTC).date() for shot in left])
    companies = _Group([shot.company for shot in left])
    free = np.ones(len(left), bool)
    chosen: list[Shot] = []
    while free.any() and len(chosen) < count:
        gain = np.maximum(worth - moments.best(), 0) + days.gain(worth) + companies.gain(worth)
        pick = int(np.where(free, gain, -np.inf).argmax())
        free[pick] = False
        for group in (moments, days, companies):
            group.take(pick, left[pick].worth)
        chosen.append(left[pick])
    return tuple(chosen)


class _Group:
    """One way in which shots are alike, and what the chosen ones of each kind are worth."""

    def __init__(self, kinds: Sequence[Hashable]) -> None:
        number: dict[Hashable, int] = {}
        self._of = np.array([number.setdefault(kind, len(number)) for kind in kinds], np.intp)
        self._sums = np.zeros(len(number))
        self._best = np.zeros(len(number))

    def best(self) -> NDArray[np.float64]:
        """float64[shots]: of each shot's kind, the best one chosen."""
        found: NDArray[np.float64] = self._best[self._of]
        return found

    def gain(self, worth: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64[shots]: by how much each would raise the square root of its kind's sum."""
        sums = self._sums[self._of]
        gained: NDArray[np.float64] = np.sqrt(sums + worth) - np.sqrt(sums)
        return gained

    def take(self, shot: int, worth: float) -> None:
        """The shot is chosen."""
        kind = self._of[shot]
        self._sums[kind] += worth
        self._best[kind] = max(self._best[kind], worth)


def _moments(shots: Sequence[Shot]) -> list[int]:
    """The number of each shot's moment."""
    order = sorted(range(len(shots)), key=lambda index: shots[index].taken_at)
    number = [0] * len(shots)
    for before, after in pairwise(order):
        pause = shots[after].taken_at - shots[before].taken_at > _MOMENT
        number[after] = number[before] + pause
    return number
