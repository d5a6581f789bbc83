"""Which photos a change comes from: groups that grew or shrank, and groups that changed within.

Exact and additive: the difference of two histograms is the sum over groups of what their shares and what their own
histograms changed, each at the mean of the other (Kitagawa 1955).  The parts are measured along the whole change, each
bin in units of its own deviation, so that they add up to 1 for every kind of group.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from typing import Any, Literal, Self

import numpy as np

from eval.drift.counts import Counts, Groups
from eval.drift.distance import Array
from facealbum.domain.sentences import Sentence, Share, Term

_WORTH_NAMING = 0.25
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one group adds to a change: `part` of it, 1 being all; a negative one goes against it.

    how: "share" if the group is more or less of all than before, "within" if it looks different itself.
    share_before, share_now: of all faces or photos.
    """

    group: str
    how: Literal["share", "within"]
    part: float
    share_before: float
    share_now: float

    @property
    def excess(self) -> float:
        """How much more of the change it is than its size explains."""
        return self.part - (self.share_before + self.share_now) / 2 if self.how == "within" else self.part

    def to_dict(self) -> dict[str, object]:
        """Plain JSON."""
        return asdict(self) | {"words": self.words()}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """What `to_dict` has made JSON of."""
        return cls(*(given[one.name] for one in fields(cls)))

    def words(self) -> Sentence:
        """In words, for alarms and reports."""
        group, part, now = Term(self.group), Share(self.part, 0), Share(self.share_now, 0)
        if self.how == "within":
            return Sentence("%(group)s: %(part)s of the change within %(now)s of all", group=group, part=part, now=now)
        return Sentence(
            "%(group)s: %(part)s of the change by going from %(before)s to %(now)s",
            group=group,
            part=part,
            before=Share(self.share_before, 0),
            now=now,
        )


def contributions(before: Groups, now: Groups) -> list[Contribution]:
    """Of every group, "share" and "within"; the parts of each kind of group ("camera:", "format:") add up to 1.

    A group that was not there before, or is not there now, can only have changed its share.  Of a kind whose sums did
    not change there is none.
    """
    names = sorted({name for side in (before, now) for name, counts in side.items() if counts.any()})
    return [
        one
        for _, kind in groupby(names, key=lambda name: name.partition(":")[0])
        for one in _of_kind(list(kind), before, now)
    ]


def top_contributions(found: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """The few that explain most beyond their size; none if all groups changed alike."""
    worth = [one for one in found if one.excess >= _WORTH_NAMING]
    return tuple(sorted(worth, key=lambda one: (-one.excess, one.group, one.how))[:_MOST_NAMED])


def _of_kind(names: list[str], before: Groups, now: Groups) -> Iterable[Contribution]:
    was, is_now = (_table(names, counts) for counts in (before, now))
    if not was.any() or not is_now.any():
        return
    share_was, share_is = (table.sum(axis=1) / table.sum() for table in (was, is_now))
    total_was, total_is = (table.sum(axis=0) / table.sum() for table in (was, is_now))
    change, centre = total_is - total_was, (total_is + total_was) / 2
    weights = np.divide(change, centre, out=np.zeros_like(change), where=centre > 0)
    length = float(change @ weights)
    if not length:
        return
    shape_was, shape_is = _shapes(was, is_now), _shapes(is_now, was)
    grown = (share_is - share_was)[:, None] * ((shape_was + shape_is) / 2 - centre)
    turned = ((share_is + share_was) / 2)[:, None] * (shape_is - shape_was)
    for row, name in enumerate(names):
        shares = float(share_was[row]), float(share_is[row])
        yield Contribution(name, "share", float(grown[row] @ weights) / length, *shares)
        yield Contribution(name, "within", float(turned[row] @ weights) / length, *shares)


def _table(names: list[str], counts: Mapping[str, Counts]) -> Array:
    """float64[groups, bins]."""
    bins = len(next(iter(counts.values()))) if counts else 0
    return np.array([counts.get(name, np.zeros(bins)) for name in names], np.float64)


def _shapes(own: Array, other: Array) -> Array:
    """The shares of each group's bins, float64[groups, bins]; of a group that is empty those of the other side."""
    there = np.where(own.sum(axis=1, keepdims=True) > 0, own, other)
    shapes: Array = there / there.sum(axis=1, keepdims=True)
    return shapes
