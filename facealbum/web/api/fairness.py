"""Whether albums are as good for every part of all families, and what drove links."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from facealbum.domain.access import Right
from facealbum.domain.ids import FamilyId, PersonId
from facealbum.steps.accuracy import load_accuracy
from facealbum.steps.fairness import judge_arms, load_fairness
from facealbum.steps.link_inputs import describe_link, explain_link, load_mix
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import Figure, MonthText, OfArm, OfMonth, Shown, Text, month_of
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1", tags=["fairness"])
_BY_SLICE, _BY_SOURCE, _BY_INPUT = Keys(tuple[str, str, str]), Keys(tuple[str, str, str]), Keys(tuple[str, str])
_SEE = [requires(Right.SEE_FIGURES)]


class Slice(Figure):
    """A metric of a slice, with an interval that holds together with those of the metric's other slices.

    slice: empty for all families.  standing: `worse`, `alike` or `better` than all families, or `too few` to say.
    """

    month: MonthText
    metric: str = Field(examples=["coverage"])
    slice: str = Field(examples=["age:0-2"])
    standing: str = Field(examples=["alike"])


class GateOfSlices(BaseModel):
    """What the gate on the worst slice says: `pass`, `fail` or `unknown`; metrics: of each one, with its figures.

    labelled: the same of what annotators said of both arms.
    """

    verdict: str = Field(examples=["pass"])
    reason: str
    metrics: dict[str, dict[str, Any]]
    labelled: dict[str, dict[str, Any]]


class SliceOfTruth(Figure):
    """How often something was right in a slice, empty for all, as people said; source: a sample's name, or `users`.

    Of a sample it is an estimate for everything; users say what they look at.
    """

    source: str = Field(examples=["october"])
    drawn: bool = Field(description="Whether it is of a sample, drawn by chance")
    measure: str = Field(examples=["assignment_precision"])
    slice: str = Field(examples=["age:0-2"])
    items: int = Field(examples=[85])
    standing: str = Field(examples=["alike"])


class InputMonth(Shown):
    """What an input added to the log odds of a month's links on average, and whether its histogram has changed.

    distance: Jensen-Shannon, to the months of `baseline`.  threshold: null where nothing is judged.
    """

    month: MonthText
    input: str = Field(examples=["age"])
    links: int = Field(examples=[5100])
    mean: float = Field(examples=[2.4])
    distance: float | None = Field(examples=[0.03])
    threshold: float | None = Field(examples=[0.11])
    alarm: bool
    baseline: list[MonthText]


class Inputs(BaseModel):
    """What each input adds to the log odds of a link against its best alternative; together `log_odds`.

    against: the child that is the best alternative, or null for nobody registered.
    """

    against: UUID | None
    prior: float = Field(examples=[0.0])
    age: float = Field(examples=[3.2])
    dates: float = Field(examples=[0.0])
    gender: float = Field(examples=[0.6])
    exclusions: float = Field(examples=[0.0])
    company: float = Field(examples=[1.1])
    log_odds: float = Field(examples=[4.9])


class LinkReasons(BaseModel):
    """A person's link and what drove it; inputs: null where a user's word alone made it."""

    person_id: UUID = Field(validation_alias="person")
    child_id: UUID = Field(validation_alias="child")
    probability: float = Field(examples=[0.98])
    faces: int = Field(examples=[16])
    inputs: Inputs | None


@router.get("/fairness", dependencies=_SEE, responses=responses(), summary="Metrics by slice")
def list_slices(
    world: World,
    wanted: Paging,
    first: Annotated[MonthText | None, Query(alias="from", description="The first month; without it `to`")] = None,
    last: Annotated[MonthText | None, Query(alias="to", description="The last month; without it the newest")] = None,
    arm: OfArm = None,
) -> Page[Slice]:
    """List how each slice fared in each month, beside all families."""
    found = load_fairness(world, month_of(first), month_of(last), arm=arm)
    rows = [(str(month), one) for month, slices in found.months.items() for one in slices]
    shown, following = _BY_SLICE.part(rows, wanted, lambda row: (row[0], row[1].metric, row[1].slice))
    items = [
        Slice.of(one.estimate, month=month, metric=one.metric, slice=one.slice, standing=one.standing.value)
        for month, one in shown
    ]
    return Page(items=items, next=following)


@router.get("/fairness/accuracy", dependencies=_SEE, responses=responses(), summary="Accuracy by slice")
def list_accuracy(world: World, wanted: Paging, arm: OfArm = None) -> Page[SliceOfTruth]:
    """List how often persons, links, ages and genders were right in each slice, as annotators and users said."""
    rows = load_accuracy(world, arm=arm).rows
    shown, following = _BY_SOURCE.part(rows, wanted, lambda one: (one.source, one.measure, one.slice))
    return Page(items=[SliceOfTruth.of(one.estimate, **one.about()) for one in shown], next=following)


@router.get("/fairness/gate", dependencies=_SEE, responses=responses(), summary="The gate on the worst slice")
def judge(
    world: World,
    candidate: Annotated[Text, Query(description="The arm to be judged")],
    month: OfMonth = None,
    arm: OfArm = None,
) -> GateOfSlices:
    """Tell whether the candidate makes any slice worse than `arm` does, in the same families and month."""
    return GateOfSlices(**judge_arms(world, candidate, month=month_of(month), present=arm).to_dict())


@router.get("/fairness/links", dependencies=_SEE, responses=responses(), summary="What drove links, by month")
def list_inputs(world: World, wanted: Paging, arm: OfArm = None) -> Page[InputMonth]:
    """List what each input added to links, month by month, and whether that has changed."""
    found = load_mix(world, arm=arm).to_dict()["inputs"]
    rows, following = _BY_INPUT.part(found, wanted, lambda one: (one["month"], one["input"]))
    return Page(items=[InputMonth(**one) for one in rows], next=following)


@router.get(
    "/families/{family_id}/links/{person_id}/attribution",
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="What drove a link",
)
def explain(family_id: UUID, person_id: UUID, world: World) -> LinkReasons:
    """Tell what each input added to the log odds of the person's link, under the arm that the family is shown."""
    return LinkReasons(**describe_link(explain_link(world, FamilyId(family_id), PersonId(person_id))))
