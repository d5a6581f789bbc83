"""From a rate to the families behind it, and from a family to its persons and faces; and the operator's own slices."""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from eval.metrics.definitions import METRICS, Better
from eval.metrics.estimates import FamilyCount
from eval.metrics.slices import EVERYTHING
from facealbum.domain.ids import FamilyId, family_id
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from facealbum.steps.context import Context
from facealbum.steps.metrics import expect_metric, find_arm
from facealbum.steps.rows import read_rows
from facealbum.storage.families import load_families, load_family
from facealbum.storage.family_slices import save_slice
from facealbum.storage.metric_cases import TRACEABLE, Case, load_cases
from facealbum.storage.metric_totals import ArmMonth, load_family_counts

_NAME = re.compile(r"[\w.+ -]{1,60}")
_COLUMNS = ("family", "name", "value")


@dataclass(frozen=True, slots=True)
class SliceImport:
    """How many rows were taken, and what is wrong with the others."""

    rows: int
    problems: tuple[str, ...]


def list_families(  # noqa: PLR0913 - what is asked for, and which part of it
    context: Context,
    metric: str,
    month: Month,
    *,
    arm: str | None = None,
    part: str = EVERYTHING,
    after: tuple[float, UUID] | None = None,
    limit: int = 20,
) -> list[FamilyCount]:
    """The families behind the month's value, those first that add most to what is not wanted.

    after: the `place_of_family` of one.  Raises InvalidValueError for an unknown metric or arm.
    """
    expect_metric(metric)
    with context.database.begin() as transaction:
        where = ArmMonth(find_arm(transaction, arm).arm_id, month)
        return load_family_counts(
            transaction, where, metric, part, best=METRICS[metric].better, after=after, limit=limit
        )


def place_of_family(metric: str, one: FamilyCount) -> tuple[float, UUID]:
    """Where it stands among those behind the metric."""
    bad = one.cases - one.total if METRICS[metric].better is Better.HIGHER else one.total
    return -bad, one.family


def list_cases(context: Context, metric: str, month: Month, family: FamilyId, *, arm: str | None = None) -> list[Case]:
    """The persons and faces behind a family's count, as the album is today.

    Raises UnknownFamilyError, and InvalidValueError for an arm that never ran or a metric that keeps only counts.
    """
    if metric not in TRACEABLE:
        raise InvalidValueError(
            f"the faces behind a metric are known of {', '.join(sorted(TRACEABLE))}; got {metric!r}"
        )
    with context.database.begin() as transaction:
        load_family(transaction, family)
        return load_cases(transaction, family, find_arm(transaction, arm).arm_id, month, metric)


def import_slices(context: Context, path: Path) -> SliceImport:
    """Take in which parts families belong to (family,name,value); raises ManifestError if the file can't be read.

    A later row on the same family and name takes the place of an earlier one; an empty value takes it back.
    """
    given: dict[tuple[FamilyId, str], str] = {}
    problems = []
    with context.database.begin() as transaction:
        known = {one.family_id for one in load_families(transaction)}
        rows = 0
        for where, row in read_rows(path, _COLUMNS):
            rows += 1
            if family_id(row["family"]) not in known:
                problems.append(f"{where}: no family is called {row['family']!r}")
            elif not _NAME.fullmatch(row["name"]) or not (_NAME.fullmatch(row["value"]) or not row["value"]):
                problems.append(f"{where}: name and value must be 1 to 60 letters, digits, spaces or any of . + - _")
            else:
                given[family_id(row["family"]), row["name"]] = row["value"]
        families: dict[tuple[str, str], list[FamilyId]] = defaultdict(list)
        for (family, name), value in given.items():
            families[name, value].append(family)
        for (name, value), members in sorted(families.items()):
            save_slice(transaction, members, name, value, now=context.clock())
    return SliceImport(rows - len(problems), tuple(problems))
