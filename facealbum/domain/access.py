"""Who may do what: roles, rights, and the one family that a caller may be confined to.

`LOWEST` is the whole table; docs/access.md shows it, and a test holds every route against it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from facealbum.domain.ids import FamilyId


class Role(StrEnum):
    """Each may do what those before it may, and more."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Right(StrEnum):
    """What can be asked for, in the words of docs/access.md."""

    SEE_FIGURES = "see figures, and how far photos are"
    SEE_FACES = "see faces, photos and names"
    DECIDE = "decide about faces and persons"
    BRING = "bring photos and signals in"
    SEE_TRAININGS = "see trainings and searches"
    RUN_JOBS = "run jobs"
    MANAGE = "manage experiments, models, users and tokens"


LOWEST: Mapping[Right, Role] = {
    Right.SEE_FIGURES: Role.VIEWER,
    Right.SEE_FACES: Role.VIEWER,
    Right.DECIDE: Role.REVIEWER,
    Right.BRING: Role.OPERATOR,
    Right.SEE_TRAININGS: Role.OPERATOR,
    Right.RUN_JOBS: Role.OPERATOR,
    Right.MANAGE: Role.ADMIN,
}
"""The lowest role that has the right."""

_RANKS = tuple(Role)
_NAME = re.compile(r"[a-z0-9][a-z0-9_.@+-]{0,99}")


def is_name(text: str) -> bool:
    """Whether a user or token may be called so: up to 100 lower-case letters, digits and _.@+- ."""
    return bool(_NAME.fullmatch(text))


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody known; name: as records tell it, such as `user ann`; family: the only one it may touch, None for all."""

    name: str
    role: Role
    family: FamilyId | None = None

    def may(self, right: Right, family: FamilyId | None) -> bool:
        """Whether it has the right in this family, or in all of them (None)."""
        return self.family in {None, family} and _RANKS.index(self.role) >= _RANKS.index(LOWEST[right])
