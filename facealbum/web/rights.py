"""What each route asks of its caller, declared beside the route: `dependencies=[requires(Right.DECIDE)]`.

Price: FastAPI reads a form before it asks, so a large upload by somebody known who may not bring any is read in vain.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import Depends, Request

from facealbum.domain.access import Caller, Right
from facealbum.domain.ids import FamilyId, PersonId
from facealbum.errors import ForbiddenError
from facealbum.steps.access import note_view
from facealbum.web.sessions import has_proof

_HARMLESS = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True)
class Known:
    """Whom the gate let through; session: the secret that the browser sent, if it was by that."""

    caller: Caller
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """Lets those through who have the right, None being good for all; a view of faces is put on record."""

    right: Right | None

    async def __call__(self, request: Request) -> Known:
        """Who it is; raises ForbiddenError."""
        known: Known = request.state.known
        family = _id_in(request, "family_id")
        if known.session and request.method not in _HARMLESS and not await has_proof(request, known.session):
            raise ForbiddenError("this must come from a page of ours; load the page again and repeat it")
        if self.right and not known.caller.may(self.right, FamilyId(family) if family else None):
            confined = " in all families" if known.caller.family and not family else ""
            raise ForbiddenError(f"{known.caller.name} may not {self.right}{confined}; an admin can change that")
        if self.right is Right.SEE_FACES and family:
            person = _id_in(request, "person_id")
            seen = FamilyId(family), PersonId(person) if person else None
            await to_thread.run_sync(note_view, request.app.state.context, known.caller, *seen)
        return known


def requires(right: Right | None) -> Any:  # noqa: ANN401 - as FastAPI declares a dependency
    """What a route declares, as a dependency or as what one of its arguments is."""
    return Depends(Requirement(right))


def _id_in(request: Request, name: str) -> UUID | None:
    """An id of the path; one that is none is refused by the route itself."""
    try:
        return UUID(request.path_params[name]) if name in request.path_params else None
    except ValueError:
        return None
