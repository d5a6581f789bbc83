"""What drove a link: the share of each input in its log odds against the best alternative; the shares add up to them.

Linking is a sum of log likelihoods, so nothing is approximated: each input is what the log odds gain by it.  First what
the person's own faces say, against whoever fits them second best; then what is gained as somebody is ruled out; then
what the persons beside this one change.  Price: one more look at each child, for linked persons only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import fsum, log
from typing import Any, Self
from uuid import UUID

from facealbum.domain.ids import ChildId
from facealbum.domain.people import Child
from facealbum.linking.labelling import Shares, with_nobody
from facealbum.linking.likelihood import Judge

INPUTS = ("prior", "age", "dates", "gender", "exclusions", "company")
_DIGITS = 6
_LEAST = 1e-300  # stands for a probability that is too small for a number


@dataclass(frozen=True, slots=True)
class Attribution:
    """What each input adds to the log odds, in natural logarithms; below 0 it speaks for the alternative.

    against: the best alternative to the child, another one or nobody registered.
    prior: what is believed of any person before its faces are looked at.  age: the estimated ages.
    dates: photos from before a birth.  gender: the estimated genders.
    exclusions: that users or the dates of most photos rule out who would fit better than `against`; never below 0.
    company: who is in photos together with the person, and who these are.
    """

    against: ChildId | None
    prior: float
    age: float
    dates: float
    gender: float
    exclusions: float
    company: float

    @property
    def log_odds(self) -> float:
        """Of the link against the best alternative."""
        return fsum(getattr(self, name) for name in INPUTS)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self) | {"against": None if self.against is None else str(self.against)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        against = values["against"]
        return cls(**{**values, "against": None if against is None else ChildId(UUID(against))})


def attribute(
    judge: Judge,
    child: ChildId,
    children: Sequence[Child],
    *,
    prior: float,
    left: Mapping[ChildId, float],
    seen: Shares,
) -> Attribution | None:
    """Why the person may be this child; None where only a user's word says so, as the child is ruled out.

    prior: log odds of any child against nobody, before faces are looked at.  left: log odds of the children that
    nothing rules out, by the person's own faces.  seen: how probable each of them is beside the other persons.
    """
    if child not in left or not seen.get(child):
        return None
    nobody = judge.somebody_else()
    parts: dict[ChildId | None, tuple[float, ...]] = {None: (0.0,) * 4}
    for one in sorted(children, key=lambda one: one.child_id):
        age, dates, gender = judge.parts(one)
        parts[one.child_id] = prior, age - nobody, dates, gender
    alone = {one: fsum(of) for one, of in parts.items()}
    fits = _best(alone, beside=child)
    allowed = _best(with_nobody(left), beside=child)
    against = _best(seen, beside=child)
    gains = [mine - its for mine, its in zip(parts[child], parts[fits], strict=True)]
    exclusions = alone[fits] - alone[allowed]
    company = log(seen[child] / max(seen[against], _LEAST)) - (alone[child] - alone[allowed])
    return Attribution(against, *(round(gain, _DIGITS) for gain in (*gains, exclusions, company)))


def _best(of: Mapping[ChildId | None, float], *, beside: ChildId) -> ChildId | None:
    """Who has most, but for one; the first of several."""
    return max((one for one in of if one != beside), key=of.__getitem__)
