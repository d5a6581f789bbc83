"""The way down from the breakage rate: its months, one month's slices, and the families behind it."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from facealbum.domain.access import Right
from facealbum.domain.months import Month
from facealbum.steps.explorer import BreakageLook, look_at_breakage
from facealbum.web.charts import Point, Series, draw_lines
from facealbum.web.languages import Language, language_of
from facealbum.web.pages.page import render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(include_in_schema=False)
KINDS = ("breakage", "mixing", "disappearance", "splitting")


@router.get("/breakage")
def breakage(
    request: Request,
    known: Annotated[Known, requires(Right.SEE_FIGURES)],
    world: World,
    arm: str | None = None,
    month: str | None = None,
) -> Response:
    """Breakage by month and kind, and one month by slice and family."""
    look = look_at_breakage(world, arm=arm or None, month=Month.parse(month) if month else None)
    spoken = language_of(request)
    values: dict[str, Any] = {
        "charts": {kind: _draw(look, kind, spoken) for kind in KINDS},
        "kind_names": [spoken.gettext(kind) for kind in KINDS],
        "by_month": {(row["month"], row["kind"]): row for row in look.months},
        "names": known.caller.may(Right.SEE_FACES, None),
    }
    return render(request, known, "breakage.html", look=look, **values)


def _draw(look: BreakageLook, kind: str, spoken: Language) -> str:
    points = [Point(spoken.month(row["month"]), row["rate"], row["low"], row["high"]) for row in look.of(kind)]
    title = spoken.say("%(kind)s by month, with its intervals", kind=spoken.gettext(kind))
    return draw_lines(title, [Series(spoken.gettext(kind), points)], write=spoken.percent)
