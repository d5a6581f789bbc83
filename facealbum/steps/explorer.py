"""The way down from a rate to a family: breakage by month, slice and family, and the list of families."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from facealbum.domain.ids import family_id
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from facealbum.steps.context import Context
from facealbum.storage.dashboard.pages import Rows, load_page
from facealbum.storage.serving import load_installed_arm
from facealbum.storage.shown_persons import load_family_names

_BEGINNING = re.compile(r"[0-9a-f]{1,32}")
_A_PAGE = 100  # families, as the query of the page has it


@dataclass(frozen=True, slots=True)
class BreakageLook:
    """Breakage under one arm: by month and kind, and of one month by slice and family."""

    arm: str
    arms: Sequence[str]
    month: Month | None
    months: Rows
    slices: Rows
    families: Rows
    names: Mapping[UUID, str]

    def of(self, kind: str) -> list[Any]:
        """The months of one kind, oldest first."""
        return [row for row in self.months if row["kind"] == kind]


@dataclass(frozen=True, slots=True)
class FamiliesLook:
    """A page of families with their names; after: where the next page begins, if there is one."""

    families: Rows
    names: Mapping[UUID, str]
    after: UUID | None


def look_at_breakage(context: Context, *, arm: str | None = None, month: Month | None = None) -> BreakageLook:
    """Under the installation's arm, and of the newest month, unless told otherwise; raises InvalidValueError."""
    with context.database.begin() as transaction:
        arm = arm or load_installed_arm(transaction)
        rows = load_page(transaction, "breakage", arm=arm)
        arms, months = [row["arm"] for row in rows["arms"]], rows["months"]
        if arms and arm not in arms:
            raise InvalidValueError(f"expected one of the arms {', '.join(arms)}, got {arm!r}")
        if month is None and not months:
            return BreakageLook(arm, arms, None, months, [], [], {})
        month = month or Month(months[-1]["month"].year, months[-1]["month"].month)
        rows = load_page(transaction, "breakage_month", arm=arm, month=month.start().date())
        names = load_family_names(transaction, [row["family_id"] for row in rows["families"]])
        return BreakageLook(arm, arms, month, months, rows["slices"], rows["families"], names)


def find_families(context: Context, asked: str = "", *, after: UUID | None = None) -> FamiliesLook:
    """Families by id: those whose id begins so and the one of exactly this name, or all."""
    asked = asked.strip()
    with context.database.begin() as transaction:
        if asked:
            first, last = _range(asked)
            rows = load_page(transaction, "search", first=first, last=last, family=family_id(asked))["families"]
        else:
            rows = load_page(transaction, "families", after=after or UUID(int=0))["families"]
        names = load_family_names(transaction, [row["family_id"] for row in rows])
    return FamiliesLook(rows, names, rows[-1]["family_id"] if len(rows) == _A_PAGE and not asked else None)


def _range(beginning: str) -> tuple[UUID, UUID]:
    """The first and last id that begin so; of what begins none, a range that holds none."""
    digits = beginning.lower().replace("-", "")
    if not _BEGINNING.fullmatch(digits):
        return UUID(int=1), UUID(int=0)
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
