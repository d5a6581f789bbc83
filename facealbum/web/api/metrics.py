"""Metrics of months over all families, whether they left their limits, and which families and faces are behind them."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from eval.metrics import METRICS
from facealbum.domain.access import Right
from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.steps.metric_cases import list_cases, list_families, place_of_family
from facealbum.steps.metrics import list_alarms, summarize_month, track_metric
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import Figure, MonthText, OfArm, OfMonth, OfSlice, Shown, Text, month_of
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1", tags=["metrics"])
_BY_METRIC, _BY_MONTH, _BY_FAMILY = Keys(tuple[str, str]), Keys(tuple[str]), Keys(tuple[float, UUID])
_BY_PERSON = Keys(tuple[str])
_SEE = [requires(Right.SEE_FIGURES)]

MetricName = Annotated[str, Path(max_length=60, description="A metric, as `breakage`", pattern="^[a-z_0-9]+$")]
TheMonth = Annotated[MonthText, Query(description="The month")]


class Metric(Figure):
    """A metric of one slice; better: `higher`, `lower` or `neither`."""

    metric: str = Field(examples=["breakage"])
    slice: str = Field(examples=["age:0-2"])
    better: str = Field(examples=["lower"])


class MonthMetrics(Page[Metric]):
    """Those of a month under an arm."""

    arm: str = Field(examples=["default"])
    month: MonthText


class Alarms(BaseModel):
    """Why somebody must look at a month, in words."""

    arm: str = Field(examples=["default"])
    month: MonthText
    alarms: list[str]


class TrackedMonth(Figure):
    """A month beside the limits that the `baseline` months before it let expect; side: where it lies.

    worse: whether it left them on the side that is not wanted.  changed_from: the models before, if they were others.
    """

    month: MonthText
    models: list[str]
    changed_from: list[str]
    side: str = Field(examples=["within"])
    worse: bool
    baseline: int = Field(examples=[12])
    centre: float | None = Field(examples=[0.031])
    lower_limit: float | None = Field(examples=[0.012])
    upper_limit: float | None = Field(examples=[0.05])


class FamilyCount(Shown):
    """What a family adds: `total` of `cases`."""

    family_id: UUID = Field(validation_alias="family")
    total: float = Field(examples=[2])
    cases: float = Field(examples=[5])


class Case(Shown):
    """A person, or nobody, with the faces that the metric is about, oldest first."""

    person_id: UUID | None
    faces: list[UUID]


@router.get("/metrics", dependencies=_SEE, responses=responses(), summary="Metrics of a month")
def list_metrics(
    world: World,
    wanted: Paging,
    month: OfMonth = None,
    arm: OfArm = None,
    part: Annotated[Text | None, Query(alias="slice", description="One slice; without it every slice")] = None,
) -> MonthMetrics:
    """List what was measured of a month, with counts and 95% intervals."""
    found = summarize_month(world, month_of(month), arm=arm, part=part)
    rows, following = _BY_METRIC.part(found.estimates.items(), wanted, lambda one: one[0])
    items = [
        Metric.of(estimate, metric=name, slice=of, better=METRICS[name].better.value) for (name, of), estimate in rows
    ]
    return MonthMetrics(arm=found.arm, month=str(found.month), items=items, next=following)


@router.get("/metrics/alarms", dependencies=_SEE, responses=responses(), summary="Why to look at a month")
def show_alarms(world: World, month: OfMonth = None, arm: OfArm = None) -> Alarms:
    """Tell why somebody must look at a month: metrics that left their limits for the worse, and missing photos."""
    found = list_alarms(world, month_of(month), arm=arm)
    return Alarms(arm=found.arm, month=str(found.month), alarms=list(found.alarms))


@router.get(
    "/metrics/{metric}/months",
    dependencies=_SEE,
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="A metric month by month",
)
def list_months(
    metric: MetricName, world: World, wanted: Paging, arm: OfArm = None, part: OfSlice = ""
) -> Page[TrackedMonth]:
    """List a metric month by month beside its control limits, the oldest first."""
    found = [one.to_dict() for one in track_metric(world, metric, arm=arm, part=part)]
    rows, following = _BY_MONTH.part(found, wanted, lambda one: (one["month"],))
    return Page(items=[TrackedMonth(**one) for one in rows], next=following)


@router.get(
    "/metrics/{metric}/families",
    dependencies=_SEE,
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Families behind a figure",
)
def list_families_behind(
    metric: MetricName, month: TheMonth, world: World, wanted: Paging, arm: OfArm = None, part: OfSlice = ""
) -> Page[FamilyCount]:
    """List the families behind a month's value; those first that add most to what is not wanted."""
    after, limit = _BY_FAMILY.read(wanted), wanted.limit + 1
    found = list_families(world, metric, Month.parse(month), arm=arm, part=part, after=after, limit=limit)
    rows, following = _BY_FAMILY.page(found, wanted, lambda one: place_of_family(metric, one))
    return Page(items=[FamilyCount.model_validate(one) for one in rows], next=following)


@router.get(
    "/families/{family_id}/metrics/{metric}/cases",
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Persons and faces behind a figure",
)
def list_cases_behind(
    family_id: UUID, metric: MetricName, month: TheMonth, world: World, wanted: Paging, arm: OfArm = None
) -> Page[Case]:
    """List the persons and faces behind a family's count, by id, as the album is today; nobody's faces come first."""
    found = list_cases(world, metric, Month.parse(month), FamilyId(family_id), arm=arm)
    rows, following = _BY_PERSON.part(found, wanted, lambda one: (str(one.person_id or ""),))
    return Page(items=[Case.model_validate(one) for one in rows], next=following)
