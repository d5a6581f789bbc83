"""Whether a month's photos came, and came once: what no rate tells, as a rate stays the same with half of its cases.

A month's families, and its faces a family, are held against the least and the most of the months before.  There are
no control limits: seasons move both by more than a few months tell, and only what is grossly off is meant to be seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import pdtr

from eval.metrics.control import FALSE_ALARMS, LEAST, MOST
from facealbum.domain.months import Month
from facealbum.domain.sentences import Number, Sentence

_LEAST_SHARE, _MOST_SHARE = 0.5, 1.5  # of the least and the most of the months before
_FEWEST_FAMILIES = 20  # below, one family's wedding moves the faces of all


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The families that have faces of the month, and these faces."""

    month: Month
    families: int
    faces: float

    @property
    def pace(self) -> float:
        """Faces a family that has any."""
        return self.faces / self.families if self.families else 0.0


def find_arrival_alarms(before: Sequence[Arrivals], now: Arrivals) -> list[Sentence]:
    """One sentence if far too few families have faces of the month, or families far too few or too many.

    before: earlier months with faces, oldest first, each as it was when it had just ended, for photos that come late
    make a month grow.  Of fewer than six nothing is said.
    """
    known = before[-MOST:]
    if len(known) < LEAST:
        return []
    least = min(one.families for one in known)
    if now.families < _LEAST_SHARE * least and pdtr(now.families, least) < FALSE_ALARMS:
        few = Sentence(
            "only %(families)s families have faces of %(month)s, after %(least)s or more in each of the %(before)s"
            " months before",
            families=now.families,
            month=now.month,
            least=least,
            before=len(known),
        )
        return [few]
    paces = [one.pace for one in known]
    slow, fast = _LEAST_SHARE * min(paces), _MOST_SHARE * max(paces)
    if min(least, now.families) < _FEWEST_FAMILIES or slow <= now.pace <= fast:
        return []
    odd = Sentence(
        "a family has %(faces)s faces of %(month)s, after %(least)s to %(most)s in the %(before)s months before",
        faces=Number(now.pace, 0),
        month=now.month,
        least=Number(min(paces), 0),
        most=Number(max(paces), 0),
        before=len(known),
    )
    return [odd]
