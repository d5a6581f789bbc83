"""Style sheets, scripts and icons, each at a URL that changes with their content, so that browsers keep them for ever.

The URL holds the digest of all of them: scripts that import each other by name find what belongs to them.
"""

import mimetypes
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

PATH = "/static/"
router = APIRouter(include_in_schema=False)


@cache
def _contents() -> Mapping[str, bytes]:
    folder = files("facealbum.web").joinpath("static")
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir(), key=lambda one: one.name)}


@cache
def _digest() -> str:
    whole = sha256()
    for name, content in _contents().items():
        whole.update(name.encode() + b"\0" + sha256(content).digest())
    return whole.hexdigest()[:16]


def asset_url(name: str) -> str:
    """Where the file is; raises KeyError if there is none."""
    _contents()[name]
    return f"{PATH}{_digest()}/{name}"


@router.get(PATH + "{digest}/{name}")
def asset(digest: str, name: str) -> Response:
    """A file; one that is asked for by another release is today's, and is not kept."""
    content = _contents().get(name)
    if content is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    kept = {"Cache-Control": "public, max-age=31536000, immutable"} if digest == _digest() else {}
    return Response(content, headers=kept, media_type=mimetypes.guess_type(name)[0])
