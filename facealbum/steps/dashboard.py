"""The schema `dashboard`: keeping its aggregates fresh, and telling what stands in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from facealbum.steps.context import Context
from facealbum.storage.dashboard.contract import View, load_views
from facealbum.storage.dashboard.pages import Rows, load_page
from facealbum.storage.dashboard.refresh import note_every_family, refresh_days, refresh_families

_PORTION = 50  # families a transaction
_PORTION_SECONDS = 5.0  # for so long it keeps a process of `maintenance` from its other jobs


@dataclass(frozen=True, slots=True)
class Refreshed:
    """So many families were counted anew, in so many seconds."""

    families: int
    seconds: float


def refresh(context: Context, *, everything: bool = False, seconds: float | None = _PORTION_SECONDS) -> Refreshed:
    """Count anew what changed, for about so many seconds or to the end; `everything`: families that did not, too."""
    start, families = perf_counter(), 0
    with context.database.begin() as transaction:
        refresh_days(transaction)
        if everything:
            note_every_family(transaction)
    while seconds is None or perf_counter() - start < seconds:
        with context.database.begin() as transaction:
            counted = refresh_families(transaction, limit=_PORTION, now=context.clock())
        families += counted
        if not counted:
            break
    return Refreshed(families, perf_counter() - start)


def read_page(context: Context, page: str, **given: object) -> dict[str, Rows]:
    """Every part of a page of facealbum.storage.dashboard.pages, as rows by column."""
    with context.database.begin() as transaction:
        return load_page(transaction, page, **given)


def list_views(context: Context) -> list[View]:
    """Every view and aggregate that others may read, by name."""
    with context.database.begin() as transaction:
        return load_views(transaction)


def describe_views(views: Sequence[View]) -> str:
    """The same as Markdown, which docs/dashboard-views.md holds."""
    return "\n".join(_describe(view) for view in views)


def _describe(view: View) -> str:
    kind = "An aggregate. " if view.aggregate else ""
    rows = [f"| `{column.name}` | {column.kind} | {column.about} |" for column in view.columns]
    return "\n".join(
        [f"### {view.name}\n\n{kind}{view.about}.\n", "| column | type | what |", "|---|---|---|", *rows, ""]
    )
