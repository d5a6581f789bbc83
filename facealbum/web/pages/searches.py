"""Searches for parameters: what was tried, how far they came, and what becomes of what they found.

They begin and go on on the command line; what they found is proposed from the page, by the step of the command.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response

from eval.tuning.study import Tried
from facealbum.domain.access import Right
from facealbum.steps.propose_search import propose_search, trace_proposal
from facealbum.steps.searches import list_searches, show_search
from facealbum.storage.searches import Search
from facealbum.web.api.lists import Keys, Paging
from facealbum.web.api.values import Name
from facealbum.web.charts import Point, Series, draw_lines
from facealbum.web.languages import Language, language_of
from facealbum.web.pages.page import Sure, expect_sure, lead_back, render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/searches", include_in_schema=False)
Viewer = Annotated[Known, requires(Right.SEE_TRAININGS)]
Manager = Annotated[Known, requires(Right.MANAGE)]
_BY_AGE = Keys(tuple[int])
_A_PAGE = 50  # trials


@router.get("")
def searches(request: Request, world: World, known: Viewer, wanted: Paging) -> Response:
    """Every search."""
    found, following = _BY_AGE.part(list_searches(world), wanted, _place)
    return render(request, known, "searches.html", searches=found, following=following)


@router.get("/{name}")
def search(
    request: Request, world: World, known: Viewer, name: Name, before: Annotated[int | None, Query(ge=0)] = None
) -> Response:
    """One search with its trials, the newest first, those before a number."""
    found, spoken = show_search(world, name), language_of(request)
    trials = [one for one in reversed(found.trials) if before is None or one.number < before]
    counts = {state: sum(one.state == state for one in found.trials) for state in ("complete", "pruned", "running")}
    return render(
        request,
        known,
        "search.html",
        search=found.search,
        best=found.best,
        counts=counts,
        chart=_draw(found.trials, spoken),
        trials=trials[:_A_PAGE],
        following=trials[_A_PAGE - 1].number if len(trials) > _A_PAGE else None,
        proposed=trace_proposal(world, found.search),
    )


@router.post("/{name}/propose")
def propose(
    request: Request, world: World, known: Manager, name: Name, anyway: Annotated[str, Form()] = "", sure: Sure = ""
) -> Response:
    """Make an arm of what was found, with the drafts of an experiment and of a model."""
    expect_sure(sure)
    made = propose_search(world, name, author=known.caller.name, anyway=anyway == "yes")
    to = f"{router.prefix}/{quote(name, safe='')}"
    return lead_back(request, to, "The arm %(arm)s is there, with the draft of an experiment to try it.", arm=made.arm)


def _place(one: Search) -> tuple[int]:
    return (-one.search_id,)


def _draw(trials: Sequence[Tried], spoken: Language) -> str:
    """The loss of each trial that came to its end and breaks no guardrail, and the least so far."""
    ended = [
        (str(one.number), one.loss)
        for one in trials
        if one.state == "complete" and not one.broken and one.loss is not None
    ]
    least = accumulate((loss for _, loss in ended), min)
    series = [
        Series(spoken.gettext("Loss"), [Point(*one) for one in ended], joined=False),
        Series(spoken.gettext("Least so far"), [Point(one, loss) for (one, _), loss in zip(ended, least, strict=True)]),
    ]
    title = spoken.gettext("Loss of each trial that breaks no guardrail")
    return draw_lines(title, series, write=lambda loss: spoken.number(loss, 3), from_zero=False) if ended else ""
