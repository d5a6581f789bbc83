"""What other systems tell of families, in batches; a token for all families is needed."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from facealbum.domain.access import Right
from facealbum.domain.ids import FamilyId
from facealbum.steps.signals import take_in
from facealbum.storage.signals import Signal
from facealbum.web.api.bodies import Moment
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/signals", tags=["signals"], dependencies=[requires(Right.BRING)])
_MOST = 10_000


class NewSignal(BaseModel):
    """One thing that happened; value: how much or how often."""

    family_id: UUID
    external_id: str = Field(examples=["ticket-1042"])
    kind: str = Field(examples=["support_ticket:misclassification"])
    happened_at: Moment
    value: float = 1.0


class NewSignals(BaseModel):
    """What one source tells; its external ids are unique there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": "helpdesk",
                    "signals": [
                        {
                            "family_id": "69082a1e-6bec-5491-9b15-ca664bc2920a",
                            "external_id": "ticket-1042",
                            "kind": "support_ticket:misclassification",
                            "happened_at": "2026-10-31T12:00:00Z",
                        }
                    ],
                }
            ]
        }
    )

    source: str = Field(examples=["helpdesk"])
    signals: Annotated[list[NewSignal], Field(max_length=_MOST)]


class TakenSignals(BaseModel):
    """Signals that are new, that were told before, and that are of no family here."""

    new: int
    known: int
    of_unknown_families: int


@router.post(
    "",
    responses=responses(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Tell signals",
)
def tell(body: NewSignals, world: World) -> TakenSignals:
    """Take in what is new: all of it, or none if one is wrong.  Sending it again is safe."""
    told = [
        Signal(FamilyId(one.family_id), body.source, one.external_id, one.kind, one.happened_at, one.value)
        for one in body.signals
    ]
    taken = take_in(world, told)
    return TakenSignals(new=taken.new, known=taken.known, of_unknown_families=taken.of_unknown_families)
