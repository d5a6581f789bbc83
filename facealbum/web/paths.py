"""What a path says of whom it is about."""

import re
from uuid import UUID

from facealbum.domain.ids import FamilyId

_FAMILY = re.compile(r"(?:/v1)?/families/([^/]+)")


def names_family(path: str) -> str | None:
    """What stands where a path of one family has its id."""
    found = _FAMILY.match(path)
    return found[1] if found else None


def family_of(path: str) -> FamilyId | None:
    """The family that the path is about; None if it is about none, or what stands there is no id."""
    try:
        return FamilyId(UUID(names_family(path) or ""))
    except ValueError:
        return None
