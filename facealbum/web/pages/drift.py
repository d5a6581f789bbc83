"""Whether what analysis finds still looks as it used to: each distribution beside what it is compared with."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from eval.drift.distributions import DISTRIBUTIONS
from eval.drift.report import Change, DriftReport
from facealbum.domain.access import Right
from facealbum.domain.months import Month
from facealbum.steps.dashboard import read_page
from facealbum.steps.drift import load_drift
from facealbum.web.charts import Point, Series, draw_lines
from facealbum.web.languages import Language, language_of
from facealbum.web.pages.page import render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A distribution of the month beside what it is compared with; bins: how each is called, with both counts."""

    change: Change
    title: str
    unit: str
    svg: str
    bins: Sequence[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Compared:
    """One model version against one thing; the distributions that moved come first."""

    report: DriftReport
    drawn: Sequence[Drawn]


@router.get("/drift")
def drift(
    request: Request,
    world: World,
    known: Annotated[Known, requires(Right.SEE_FIGURES)],
    month: str | None = None,
) -> Response:
    """A month's checks, and the alarms of the months before."""
    spoken = language_of(request)
    chosen = Month.parse(month) if month else None
    today = Month.of(world.clock())
    checked = read_page(world, "drift", month=(chosen or today).start().date())["months"]
    reports = load_drift(world, chosen)
    return render(
        request,
        known,
        "drift.html",
        month=reports[0].month if reports else chosen,
        compared=[Compared(report, _draw_all(report, spoken)) for report in reports],
        months=_months(checked),
        names=DISTRIBUTIONS,
    )


def _months(checked: Sequence[Any]) -> list[tuple[Any, int, int]]:
    """Months, the newest first, with how many distributions were judged and how many raised an alarm."""
    judged = Counter(row["month"] for row in checked if not row["unjudged"])
    alarms = Counter(row["month"] for row in checked if row["alarm"])
    return [(month, judged[month], alarms[month]) for month in sorted({row["month"] for row in checked}, reverse=True)]


def _draw_all(report: DriftReport, spoken: Language) -> list[Drawn]:
    changes = sorted(report.changes, key=lambda one: not one.alarm)
    return [_draw(change, spoken) for change in changes if sum(change.counts) or sum(change.counts_before)]


def _draw(change: Change, spoken: Language) -> Drawn:
    about = DISTRIBUTIONS[change.distribution]
    names = [_bin(about.edges, place, spoken) for place in range(about.bins)]
    if change.distribution == "similarity":
        names[0] = spoken.gettext("nobody")
    now, before = (
        [Point(name, share) for name, share in zip(names, _shares(counts), strict=True)]
        for counts in (change.counts, change.counts_before)
    )
    title = spoken.gettext(about.about)
    series = [Series(spoken.gettext("before"), before), Series(spoken.gettext("now"), now)]
    svg = draw_lines(title, series, write=lambda value: spoken.percent(value, 0), small=True)
    return Drawn(change, title, about.unit, svg, list(zip(names, change.counts_before, change.counts, strict=True)))


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts) or 1
    return [count / whole for count in counts]


def _bin(edges: Sequence[float], place: int, spoken: Language) -> str:
    """What lies in the bin: below the first edge, or from one on."""
    digits = 0 if all(edge == int(edge) for edge in edges) else 2
    if place == 0:
        return f"< {spoken.number(edges[0], digits)}"
    return f"≥ {spoken.number(edges[place - 1], digits)}"
