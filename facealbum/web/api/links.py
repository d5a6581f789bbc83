"""Where the pictures of an answer are: signed URLs, relative to the API's own, in the name of whoever asked.

They are the same for an hour, so that an answer keeps its ETag.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Request

from facealbum.web.rights import Known
from facealbum.web.signing import Signer


@dataclass(frozen=True, slots=True)
class Links:
    """The URLs of a family's pictures for one reader."""

    signer: Signer
    viewer: str
    now: datetime
    family: str

    def crop(self, face: UUID) -> str:
        """Of a face cut out."""
        return self._signed(f"faces/{face}/crop")

    def thumbnail(self, photo: UUID) -> str:
        """Of a photo made small."""
        return self._signed(f"photos/{photo}/thumbnail")

    def _signed(self, what: str) -> str:
        return self.signer.url(f"/v1/families/{self.family}/{what}", self.viewer, now=self.now)


def _links(request: Request, family_id: UUID) -> Links:
    state, known = request.app.state, cast(Known, request.state.known)
    return Links(state.signer, known.caller.name, state.context.clock(), str(family_id))


Pictures = Annotated[Links, Depends(_links)]
"""What an endpoint takes whose answer shows pictures."""
