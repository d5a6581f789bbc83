"""The pages of annotation: samples and what their labels tell, and one item at a time to label.

Whoever labels is shown faces and nothing of what the product or others think of them; the rules are those of
`facealbum sample label`, and the annotator is whoever is logged in.
"""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from eval.annotation import Answer, Kind
from facealbum.domain.access import Right
from facealbum.errors import InvalidValueError, UnknownItemError, UnknownSampleError, said_by
from facealbum.steps.annotation import ask_again, ask_next, estimate, label_item, show_sample
from facealbum.steps.dashboard import read_page
from facealbum.web.pages.page import lead_back, render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/annotation", include_in_schema=False)

Viewer = Annotated[Known, requires(Right.SEE_FIGURES)]
Annotator = Annotated[Known, requires(Right.DECIDE)]


@router.get("")
def samples(request: Request, world: World, known: Viewer) -> Response:
    """Every sample, and how far it is."""
    return render(request, known, "annotation.html", samples=read_page(world, "annotation")["samples"])


@router.get("/{sample}/results")
def results(request: Request, world: World, known: Viewer, sample: str) -> Response:
    """What a sample's labels tell; as it was concluded, or as far as it is."""
    row = show_sample(world, sample)
    try:
        found = row.estimate or estimate(world, sample).to_dict()
    except InvalidValueError as error:  # too few answers
        return render(request, known, "annotation_results.html", row=row, found=None, missing=said_by(error))
    return render(request, known, "annotation_results.html", row=row, found=found, missing="")


@router.get("/{sample}")
def item(
    request: Request, world: World, known: Annotator, sample: str, item: UUID | None = None, after: UUID | None = None
) -> Response:
    """The next item that the annotator has not labelled, or one to look at again."""
    me = known.caller.name
    asked = ask_again(world, sample, item, annotator=me) if item else ask_next(world, sample, annotator=me, after=after)
    kind = asked.sample.design.kind
    return render(
        request,
        known,
        "annotation_item.html",
        sample=asked.sample,
        item=asked.item,
        answered=asked.answered,
        said=asked.said,
        kind=kind.value,
        answers=[one.value for one in Answer if kind is not Kind.CLUSTERS or one is not Answer.NOT_A_FACE],
        before=after,
    )


@router.post("/{sample}")
def label(  # noqa: PLR0913, PLR0917 - a field of the form each
    request: Request,
    world: World,
    known: Annotator,
    sample: str,
    item: Annotated[UUID, Form()],
    answer: Annotated[str, Form()],
    odd: Annotated[tuple[int, ...], Form()] = (),
) -> Response:
    """Keep the answer, and lead on to the next item."""
    here = f"{router.prefix}/{quote(sample, safe='')}"
    try:
        label_item(world, sample, item, annotator=known.caller.name, answer=answer, odd=odd)
    except (UnknownItemError, UnknownSampleError):
        raise
    except InvalidValueError:
        return lead_back(
            request,
            f"{here}?item={item}",
            "Tick the faces that are somebody else with the answer no, and none with another.",
        )
    return RedirectResponse(f"{here}?after={item}", HTTPStatus.SEE_OTHER)
