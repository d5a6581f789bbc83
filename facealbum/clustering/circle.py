"""The family circle: the people whom the children are photographed with again and again.

A stranger is met on one occasion, be it in one photo or in fifty, so what counts are occasions: weeks, since a party or
a holiday is over in one or two.  Somebody belongs to the circle who was beside the children in clearly more of them
than a stranger of this family (the lower confidence bound of the ratio), and in more than a small share of them all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from facealbum.clustering.intervals import Rate
from facealbum.domain.bounds import check_bounds
from facealbum.domain.ids import PersonId

_TAIL = 0.025  # one-sided, as in the 95 % interval of a Rate
_POSITIVE = (0, float("inf"))


@dataclass(frozen=True, slots=True)
class CircleParameters:
    """When somebody is seen often enough.

    lift: how many times the occasions of a stranger; share: of all occasions with children; both as lower bounds.
    prior: how many strangers of one occasion each are taken for known before anybody is counted, so that a family's
    few regular guests don't raise the bar for its parents.
    """

    lift: float = 2.0
    share: float = 0.02
    prior: float = 10.0

    def __post_init__(self) -> None:
        check_bounds(self, {"lift": _POSITIVE, "share": (0, 1), "prior": (1, float("inf"))})


def find_circle(
    beside: Mapping[PersonId, int], occasions: int, parameters: CircleParameters | None = None
) -> frozenset[PersonId]:
    """Those of the persons seen `beside` the children, on so many of all `occasions`, who belong to the family.

    Who is found not to belong is a stranger, and tells how often strangers come; this only ever raises the bar.
    """
    parameters = parameters or CircleParameters()
    circle = {person for person, seen in beside.items() if Rate(seen, occasions).interval[0] >= parameters.share}
    while True:
        strangers = [seen for person, seen in beside.items() if person not in circle]
        usual = (sum(strangers) + parameters.prior) / (len(strangers) + parameters.prior)
        stay = {person for person in circle if at_least(beside[person]) >= parameters.lift * usual}
        if stay == circle:
            return frozenset(circle)
        circle = stay


def at_least(seen: int) -> float:
    """The lower 97.5 % bound of a Poisson mean (Garwood 1936) of which `seen` was drawn."""
    from scipy.special import gammaincinv  # noqa: PLC0415 - as in vectors

    return float(gammaincinv(seen, _TAIL)) if seen else 0.0
