"""What other systems tell of families: how often by month, and how often for each family under each arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from facealbum.domain.access import Right
from facealbum.domain.months import Month
from facealbum.steps.dashboard import read_page
from facealbum.steps.signals import show_signals
from facealbum.web.charts import Point, Series, draw_lines
from facealbum.web.languages import Language, language_of
from facealbum.web.pages.page import render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of signal of one source, month by month, and its drawing."""

    source: str
    kind: str
    months: Sequence[Any]
    svg: str


@router.get("/signals")
def signals(
    request: Request,
    world: World,
    known: Annotated[Known, requires(Right.SEE_FIGURES)],
    month: str | None = None,
) -> Response:
    """Two years of them, and the rates of one month: the newest, unless told otherwise."""
    spoken = language_of(request)
    rows = read_page(world, "signals", month=world.clock().date())["months"]
    months = sorted({row["month"] for row in rows}, reverse=True)
    chosen = Month.parse(month) if month else Month(months[0].year, months[0].month) if months else None
    return render(
        request,
        known,
        "signals.html",
        kinds=_kinds(rows, sorted(months), spoken),
        months=months,
        month=chosen,
        figures=show_signals(world, month=chosen) if chosen else None,
    )


def _kinds(rows: Sequence[Any], months: Sequence[date], spoken: Language) -> list[Kind]:
    found = []
    for source, kind in sorted({(row["source"], row["kind"]) for row in rows}):
        mine = {row["month"]: row for row in rows if (row["source"], row["kind"]) == (source, kind)}
        points = [Point(spoken.month(one), mine[one]["signals"] if one in mine else 0) for one in months]
        title = spoken.say("%(kind)s by month, told by %(source)s", kind=kind, source=source)
        svg = draw_lines(title, [Series(kind, points)], write=spoken.compact, small=True)
        found.append(Kind(source, kind, [mine[one] for one in months if one in mine], svg))
    return found
