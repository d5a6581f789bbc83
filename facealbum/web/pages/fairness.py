"""How each part of all families fares beside all of them, and what drives links."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from eval.fairness.slices import WATCHED, SliceStanding
from eval.metrics.definitions import METRICS
from facealbum.domain.access import Right
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError, NothingMeasuredError
from facealbum.steps.accuracy import MEASURES, load_accuracy
from facealbum.steps.context import Context
from facealbum.steps.fairness import Fairness, load_fairness
from facealbum.steps.link_inputs import Mix, load_mix
from facealbum.web.charts import Point, draw_bars
from facealbum.web.languages import Language, language_of
from facealbum.web.pages.page import render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(include_in_schema=False)


@router.get("/fairness")
def fairness(  # noqa: PLR0913, PLR0917 - what the page is asked for
    request: Request,
    known: Annotated[Known, requires(Right.SEE_FIGURES)],
    world: World,
    month: str | None = None,
    metric: str = "coverage",
    measure: str = "assignment_precision",
    arm: str | None = None,
) -> Response:
    """One metric of a month by slice, coverage beside it; what people found right; and what drove links by month."""
    if metric not in WATCHED:
        raise InvalidValueError(f"a metric by slice must be one of {', '.join(WATCHED)}; got {metric!r}")
    if measure not in MEASURES:
        raise InvalidValueError(f"what people found right must be one of {', '.join(MEASURES)}; got {measure!r}")
    spoken = language_of(request)
    found, mix = _look(world, Month.parse(month) if month else None, arm or None)
    slices: Sequence[SliceStanding] = next(iter(found.months.values()), ()) if found else ()
    accuracy = load_accuracy(world, arm=found.arm).rows if found else ()
    mine = [one for one in slices if one.metric == metric]
    return render(
        request,
        known,
        "fairness.html",
        metric=metric,
        titles={one: spoken.gettext(METRICS[one].title) for one in WATCHED},
        arm=found.arm if found else "",
        month=next(iter(found.months), None) if found else None,
        slices=mine,
        coverage={one.slice: one.estimate for one in slices if one.metric == "coverage"},
        chart=_draw(mine, metric, spoken),
        measure=measure,
        measures={one: spoken.gettext(title) for one, title in MEASURES.items()},
        accuracy=[one for one in accuracy if one.measure == measure],
        mix=mix.months if mix else (),
    )


def _look(world: Context, month: Month | None, arm: str | None) -> tuple[Fairness | None, Mix | None]:
    """What there is; neither before anything was measured."""
    try:
        return load_fairness(world, month, month, arm=arm), load_mix(world, arm=arm)
    except NothingMeasuredError:
        return None, None
    except InvalidValueError:
        if arm or month:
            raise
        return None, None


def _draw(slices: Sequence[SliceStanding], metric: str, spoken: Language) -> str:
    bars = [
        Point(spoken.tell(one.slice or "all"), one.estimate.value, one.estimate.low, one.estimate.high)
        for one in slices
    ]
    title = spoken.say("%(metric)s by slice, with its intervals", metric=spoken.gettext(METRICS[metric].title))
    return draw_bars(title, bars, write=spoken.percent)
