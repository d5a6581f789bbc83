"""How many pseudo-labels broke, and how: mixed, vanished or split."""

from fastapi import APIRouter
from pydantic import Field

from facealbum.domain.access import Right
from facealbum.steps.metrics import list_breakage
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import Figure, MonthText, OfArm, OfSlice
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/breakage", tags=["metrics"], dependencies=[requires(Right.SEE_FIGURES)])
_BY_MONTH = Keys(tuple[str, str])


class Breakage(Figure):
    """Of `cases` pseudo-labels `total` broke so; kind: `breakage` (any), `mixing`, `disappearance` or `splitting`."""

    month: MonthText
    kind: str = Field(examples=["mixing"])


@router.get("", responses=responses(), summary="Breakage by month and kind")
def list_months(world: World, wanted: Paging, arm: OfArm = None, part: OfSlice = "") -> Page[Breakage]:
    """List breakage month by month and kind by kind, the oldest first.

    `/v1/metrics/breakage/families` leads on to families, `/v1/families/{family_id}/metrics/breakage/cases` to faces.
    """
    found = list_breakage(world, arm=arm, part=part)
    rows, following = _BY_MONTH.part(found, wanted, lambda one: (str(one.month), one.metric))
    items = [Breakage.of(one.estimate, month=str(one.month), kind=one.metric) for one in rows]
    return Page(items=items, next=following)
