"""Which arm a family is in: a salted hash of its id, so that nothing has to be kept to give the same answer again.

Three hashes decide apart from each other whether a family is held out, whether it takes part, and in which arm.  So
more traffic adds families and moves none, and no experiment's split follows another's.
"""

from dataclasses import dataclass
from hashlib import sha256
from math import isclose
from uuid import UUID

from facealbum.errors import InvalidValueError

HOLDOUT = "holdout"
"""The name of the group that is never treated; no arm may be called so."""


@dataclass(frozen=True, slots=True)
class Split:
    """How families are divided.

    shares: of the families that take part, by arm; they add up to 1.  holdout: share of all families that is never
    treated.  traffic: share of the others that takes part; the rest see what they always saw.
    """

    salt: str
    shares: tuple[tuple[str, float], ...]
    holdout: float = 0.0
    traffic: float = 1.0

    def __post_init__(self) -> None:
        names = [name for name, _ in self.shares]
        if len(set(names)) != len(names) or HOLDOUT in names or not names:
            raise InvalidValueError(f"arms must have different names, none of them {HOLDOUT!r}, got {names}")
        if not all(share > 0 for _, share in self.shares) or not isclose(sum(share for _, share in self.shares), 1):
            raise InvalidValueError(f"shares must be above 0 and add up to 1, got {dict(self.shares)}")
        if not 0 <= self.holdout < 1:
            raise InvalidValueError(f"the holdout must be a share from 0 to below 1, got {self.holdout}")
        if not 0 < self.traffic <= 1:
            raise InvalidValueError(f"the traffic must be a share above 0, up to 1, got {self.traffic}")


def assign(family: UUID, split: Split) -> str | None:
    """The family's arm, HOLDOUT, or None if it does not take part."""
    if _fraction(family, split.salt, "holdout") < split.holdout:
        return HOLDOUT
    if _fraction(family, split.salt, "traffic") >= split.traffic:
        return None
    point = _fraction(family, split.salt, "arm")
    for name, share in split.shares:
        point -= share
        if point < 0:
            return name
    return split.shares[-1][0]  # the shares add up to a hair less than 1


def _fraction(family: UUID, salt: str, purpose: str) -> float:
    """A number in [0, 1) of 53 bits, uniform over families."""
    digest = sha256(f"{salt}/{purpose}/{family}".encode()).digest()
    return (int.from_bytes(digest[:8]) >> 11) / 2**53
