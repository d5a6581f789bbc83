"""Every answer of /v1 to a GET has an ETag, and is 304 without a body for whoever has it already (RFC 9110).

A route that knows its ETag before its content says so by `known_already`, and spares the work; of any other the content
is made, and hashed.  What may be changed only as it was read has the ETag of `etag_of`, by which `expect_match` refuses
other changes.  Price: an answer is held whole before it is sent.
"""

from hashlib import sha256
from http import HTTPStatus
from typing import Annotated

from fastapi import Header, Request
from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

IfMatch = Annotated[str | None, Header(description="Change it only if it has this ETag still, else answer 412")]
_KEPT = "private, no-cache"
_OF_CONTENT = ("content-length", "content-type")


def known_already(request: Request, etag: str) -> bool:
    """Whether the client says that it has this."""
    return _has(request.headers, etag)


def etag_of(body: BaseModel) -> str:
    """The ETag of what a route answers."""
    return _digest(body.model_dump_json().encode())


def expect_match(given: str | None, body: BaseModel) -> None:
    """Refuse with 412 unless what is there is what the client has read, by its `If-Match`; None asks nothing."""
    if given is not None and not {"*", etag_of(body)} & {one.strip() for one in given.split(",")}:
        raise HTTPException(
            HTTPStatus.PRECONDITION_FAILED, "somebody changed it since it was read; read it again, and change that"
        )


class Validating:
    """The application with ETags."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith("/v1/"):
            send = _Held(Headers(scope=scope), send)
        await self._app(scope, receive, send)


class _Held:
    """Holds an answer until it is whole, and sends it with its ETag, or that the client has it."""

    def __init__(self, asked: Headers, send: Send) -> None:
        self._asked, self._send = asked, send
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        headers = MutableHeaders(scope=self._start)
        if self._start["status"] == HTTPStatus.OK:
            headers.setdefault("ETag", _digest(self._body))
            headers.setdefault("Cache-Control", _KEPT)
            headers.add_vary_header("Authorization, Cookie")
            if _has(self._asked, headers["ETag"]):
                self._start["status"], self._body = HTTPStatus.NOT_MODIFIED, b""
                for name in _OF_CONTENT:
                    del headers[name]
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": self._body})


def _digest(content: bytes) -> str:
    return f'"{sha256(content).hexdigest()[:32]}"'


def _has(asked: Headers, etag: str) -> bool:
    told = [one.strip().removeprefix("W/") for one in asked.get("if-none-match", "").split(",")]
    return "*" in told or etag in told
