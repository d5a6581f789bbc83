"""Whether what analysis finds still looks like what it used to find."""

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from facealbum.domain.access import Right
from facealbum.steps.drift import list_baselines, load_drift
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import MonthText, OfMonth, month_of
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/drift", tags=["drift"], dependencies=[requires(Right.SEE_FIGURES)])
_BY_ANALYZER, _BY_NUMBER = Keys(tuple[str, str]), Keys(tuple[int])


class Group(BaseModel):
    """What a group of photos adds to a change: `part` of it, 1 being all."""

    group: str = Field(examples=["camera:X100"])
    how: str = Field(examples=["share"])
    part: float = Field(examples=[0.8])
    share_before: float = Field(examples=[0.1])
    share_now: float = Field(examples=[0.4])
    words: str


class Change(BaseModel):
    """A distribution against what it is compared with, by Jensen-Shannon distance (0 to 1).

    counts: of each bin between `edges`.  threshold: null where nothing is judged, for the reason in `unjudged`.
    """

    distribution: str = Field(examples=["quality"])
    about: str
    unit: str
    edges: list[float]
    distance: float = Field(examples=[0.04])
    threshold: float | None = Field(examples=[0.11])
    alarm: bool
    unjudged: str
    cases: int = Field(examples=[5100])
    cases_before: int = Field(examples=[61000])
    counts: list[int]
    counts_before: list[int]
    groups: list[Group]


class Report(BaseModel):
    """A month of one combination of models; against: `baseline`, `before` (the month before) or `training`."""

    month: MonthText
    analyzer: str
    models: dict[str, str]
    against: str = Field(examples=["baseline"])
    months: list[MonthText]
    false_alarms: float | None = Field(examples=[0.005])
    changes: list[Change]
    alarms: list[str]


class Baseline(BaseModel):
    """What months are compared with: quiet ones, `chosen` or `automatic`, or a `training` set."""

    number: int = Field(examples=[3])
    analyzer_id: int = Field(examples=[1])
    kind: str = Field(examples=["automatic"])
    months: list[MonthText]
    created_at: AwareDatetime


@router.get("", responses=responses(), summary="What the last check for drift found")
def list_reports(world: World, wanted: Paging, month: OfMonth = None) -> Page[Report]:
    """List what the last check of a month found."""
    found = [one.to_dict() for one in load_drift(world, month_of(month))]
    rows, following = _BY_ANALYZER.part(found, wanted, lambda one: (one["analyzer"], one["against"]))
    return Page(items=[Report(**one) for one in rows], next=following)


@router.get("/baselines", responses=responses(), summary="What months are compared with")
def list_all_baselines(world: World, wanted: Paging) -> Page[Baseline]:
    """List what months were and are compared with, the newest first."""
    rows, following = _BY_NUMBER.part(list_baselines(world), wanted, lambda one: (-one.number,))
    items = [
        Baseline(
            number=one.number,
            analyzer_id=one.analyzer_id,
            kind=one.kind,
            months=[str(month) for month in one.months],
            created_at=one.created_at,
        )
        for one in rows
    ]
    return Page(items=items, next=following)
