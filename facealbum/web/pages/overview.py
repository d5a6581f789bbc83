"""The overview: whether the installation does what it should, and does it well, at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from facealbum.domain.access import Right
from facealbum.steps.operations import COUNTED_FAMILIES, Overview, look_at_overview
from facealbum.web.charts import Point, Series, draw_lines
from facealbum.web.languages import Language, language_of
from facealbum.web.pages.metric_words import MetricWords
from facealbum.web.pages.page import render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(include_in_schema=False)
_DAYS = 31
_TRENDS = ("association", "breakage", "coverage")


@dataclass(frozen=True, slots=True)
class Trend:
    """A metric month by month, oldest first, and its drawing."""

    title: str
    months: Sequence[Any]
    svg: str


@dataclass(frozen=True, slots=True)
class Day:
    """What came in on a day and what became of it."""

    day: Any
    received: int
    analysed: int
    problems: int


@router.get("/")
def overview(request: Request, world: World, known: Annotated[Known, requires(Right.SEE_FIGURES)]) -> Response:
    """How the installation stands today."""
    look, spoken = look_at_overview(world), language_of(request)
    days = _days(look)
    return render(
        request,
        known,
        "overview.html",
        look=look,
        bounded=look.installation["families"] >= COUNTED_FAMILIES,
        waiting={row["what"]: row for row in look.queue},
        now=world.clock(),
        trends=[_trend(look, metric, spoken) for metric in _TRENDS],
        days=days,
        photos=_draw_days(days, spoken),
    )


def _trend(look: Overview, metric: str, spoken: Language) -> Trend:
    months = sorted((row for row in look.metrics if row["metric"] == metric), key=lambda row: row["month"])
    points = [Point(spoken.month(row["month"]), row["value"], row["low"], row["high"]) for row in months]
    name = MetricWords(spoken).title(metric)
    if not points:
        return Trend(name, [], "")
    title = spoken.say("%(metric)s by month, with its interval", metric=name)
    write = partial(spoken.percent, digits=0)
    return Trend(name, months, draw_lines(title, [Series(name, points)], write=write, small=True))


def _days(look: Overview) -> list[Day]:
    """The last days, today the last of them."""
    counts: dict[tuple[Any, str], int] = {}
    for row in look.photos:
        kind = "problem" if row["event"].endswith("problem") else row["event"]
        counts[row["day"], kind] = counts.get((row["day"], kind), 0) + row["photos"]
    days = [look.today - timedelta(days=back) for back in reversed(range(_DAYS))]
    return [Day(day, *(counts.get((day, kind), 0) for kind in ("received", "analysed", "problem"))) for day in days]


def _draw_days(days: Sequence[Day], spoken: Language) -> str:
    if not any(day.received or day.analysed or day.problems for day in days):
        return ""
    series = [
        Series(name, [Point(spoken.short_day(day.day), getattr(day, kind)) for day in days])
        for kind, name in (
            ("received", spoken.gettext("Received")),
            ("analysed", spoken.gettext("Analysed")),
            ("problems", spoken.gettext("With a problem")),
        )
    ]
    return draw_lines(spoken.gettext("Photos by day"), series, write=spoken.compact)
