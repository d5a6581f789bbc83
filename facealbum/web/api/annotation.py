"""Truth from people: samples, what they ask, labels, and what these tell of everything."""

from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from eval.annotation import MIN_RESPONSE
from eval.annotation.estimate import AnnotationEstimate
from facealbum.domain.access import Right
from facealbum.steps import annotation as steps
from facealbum.storage.samples import SampleRow
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import LARGEST, Figure, MonthText, Name, Shown, Text
from facealbum.web.problems import responses
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/annotation", tags=["annotation"])
_BY_AGE, _BY_ITEM = Keys(tuple[float, str]), Keys(tuple[UUID])
_SEE = [requires(Right.SEE_FIGURES)]
Reviewer = Annotated[Known, requires(Right.DECIDE)]
Arbiter = Annotated[Text | None, Query(description="The annotator whose word settles differences")]
Share = Annotated[float, Query(ge=0, le=1, description="The least share of items that must be answered")]


class Stratum(Shown):
    """A part of the population, how many there are of it and how many were drawn."""

    stratum: str = Field(examples=["together similarity:below"])
    population: float = Field(examples=[812])
    drawn: int = Field(examples=[40])


class Sample(BaseModel):
    """A sample of faces, pairs or clusters, and how far it is."""

    name: str = Field(examples=["autumn"])
    kind: str = Field(examples=["faces"])
    arms: list[str] = Field(examples=[["default"]])
    month: MonthText | None
    families: int = Field(examples=[300])
    items: int = Field(examples=[400])
    labelled: int = Field(examples=[120])
    strata: list[Stratum]
    drawn_at: AwareDatetime
    concluded_at: AwareDatetime | None

    @classmethod
    def of(cls, row: SampleRow) -> "Sample":
        """As it is kept."""
        return cls(
            name=row.design.name,
            kind=row.design.kind,
            arms=list(row.design.arms),
            month=str(row.design.month) if row.design.month else None,
            families=row.families,
            items=row.items,
            labelled=row.labelled,
            strata=[Stratum.model_validate(one) for one in row.strata],
            drawn_at=row.drawn_at,
            concluded_at=row.concluded_at,
        )


class Item(Shown):
    """One question about faces of a family.

    Is the first of `faces` the person of the others, are both one person, or which of them are somebody else?
    """

    item_id: UUID
    family_id: UUID
    faces: list[UUID]


class NewLabel(BaseModel):
    """An answer; odd: with `no` of a cluster, the faces that are somebody else, counted from 1."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"answer": "yes"}, {"answer": "no", "odd": [2]}]})

    answer: Literal["yes", "no", "unsure", "not_a_face"]
    odd: list[Annotated[int, Field(ge=1, le=LARGEST)]] = Field(default=[], max_length=1000)


class Label(Shown):
    """What an annotator says of an item."""

    item_id: UUID
    annotator: str = Field(examples=["user ann"])
    answer: str = Field(examples=["yes"])
    odd: list[int]


class Rate(BaseModel):
    """A rate under one arm, from so many answered items, and what the unsure ones could make of it."""

    measure: str = Field(examples=["precision"])
    arm: str = Field(examples=["default"])
    items: int = Field(examples=[390])
    estimate: Figure
    if_unsure_wrong: float | None
    if_unsure_right: float | None


class Estimate(BaseModel):
    """What the labels of a sample say of everything; agreement: how far annotators agree beyond chance."""

    sample: str = Field(examples=["autumn"])
    kind: str = Field(examples=["faces"])
    drawn: int = Field(examples=[400])
    answered: int = Field(examples=[395])
    unsure: int = Field(examples=[5])
    unsettled: int = Field(examples=[0])
    disputed: int = Field(examples=[11])
    response: float = Field(examples=[0.99])
    settled_by: str = Field(examples=["majority"])
    strata: list[dict[str, Any]]
    figures: list[Rate]
    agreement: list[dict[str, Any]]

    @classmethod
    def of(cls, found: AnnotationEstimate) -> "Estimate":
        """As the step tells it."""
        told = found.to_dict()
        rates = [
            rate | {"estimate": Figure.of(one.estimate)}
            for rate, one in zip(told["figures"], found.figures, strict=True)
        ]
        return cls(**told | {"figures": rates})


@router.get("/samples", dependencies=_SEE, responses=responses(), summary="Samples")
def list_samples(world: World, wanted: Paging) -> Page[Sample]:
    """List the samples, the newest first."""
    rows, following = _BY_AGE.part(
        steps.list_samples(world), wanted, lambda one: (-one.drawn_at.timestamp(), one.design.name)
    )
    return Page(items=[Sample.of(one) for one in rows], next=following)


@router.get("/samples/{name}", dependencies=_SEE, responses=responses(), summary="A sample")
def show_sample(name: Name, world: World) -> Sample:
    """Tell how far a sample is."""
    return Sample.of(steps.load_sample(world, name)[0])


@router.get(
    "/samples/{name}/items",
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(),
    summary="What a sample asks",
)
def list_items(name: Name, world: World, wanted: Paging) -> Page[Item]:
    """List what a sample asks, in an order that tells annotators nothing.

    The pictures are at `/v1/families/{family_id}/faces/{face_id}/crop`, where seeing them is put on record.
    """
    _, found = steps.load_sample(world, name)
    rows, following = _BY_ITEM.part(found, wanted, lambda one: (one.item_id,))
    return Page(items=[Item.model_validate(one) for one in rows], next=following)


@router.put(
    "/samples/{name}/items/{item_id}/label",
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Answer an item",
)
def label_item(name: Name, item_id: UUID, new: NewLabel, world: World, known: Reviewer) -> Label:
    """Answer an item.  The annotator is whoever asks; a later answer takes the place of an earlier one."""
    label = steps.label_item(world, name, item_id, annotator=known.caller.name, answer=new.answer, odd=new.odd)
    return Label.model_validate(label)


@router.get("/samples/{name}/estimate", dependencies=_SEE, responses=responses(), summary="What the labels say")
def show_estimate(name: Name, world: World, arbiter: Arbiter = None, min_response: Share = MIN_RESPONSE) -> Estimate:
    """Tell what the labels say of everything, once enough items are answered."""
    return Estimate.of(steps.estimate(world, name, arbiter=arbiter, min_response=min_response))


@router.post(
    "/samples/{name}/conclude",
    dependencies=[requires(Right.RUN_JOBS)],
    responses=responses(HTTPStatus.CONFLICT),
    summary="Keep what the labels say",
)
def conclude_sample(name: Name, world: World, arbiter: Arbiter = None, min_response: Share = MIN_RESPONSE) -> Estimate:
    """Keep what the labels say, whatever becomes of the families later."""
    return Estimate.of(steps.estimate(world, name, arbiter=arbiter, min_response=min_response, conclude=True))
