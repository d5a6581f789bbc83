"""What every request passes before anything of its body is read: who sends it, and how large it is.

A mistake of ours behind the gate is answered with its kind alone and logged with its place, without any value.
"""

import re
from http import HTTPStatus
from uuid import UUID

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facealbum.logs import get_logger, place_of
from facealbum.web.problems import Problem, answer, problem
from facealbum.web.tokens import Token, find_token

_FAMILY = re.compile(r"/v1/families/([^/]+)")
_log = get_logger(__name__)


class Gate:
    """Lets requests through that have one of the tokens, if there are any, and a body of at most so many bytes."""

    def __init__(self, app: ASGIApp, *, tokens: tuple[Token, ...], max_bytes: int) -> None:
        self._app = app
        self._tokens = tokens
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refused := self._refusal(scope["path"], Headers(scope=scope)):
            await answer(refused)(scope, receive, send)
            return
        started = False

        async def noting_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, self._counting(receive), noting_start)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:
            _log.error("request_crashed", code="crashed", place=place_of(error))
            if started:
                raise
            crash = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "crashed", "the service failed; tell its operator when")
            await answer(crash)(scope, receive, send)

    def _refusal(self, path: str, headers: Headers) -> Problem | None:
        if not path.startswith("/v1/"):
            return None
        if self._tokens:
            token = find_token(self._tokens, headers.get("authorization", "").encode())
            if token is None:
                detail = "send the header Authorization: Bearer TOKEN with a token of FACEALBUM_API_TOKENS"
                return problem(HTTPStatus.UNAUTHORIZED, "unauthorized", detail)
            if token.family is not None and token.family != _family(path):
                return problem(HTTPStatus.FORBIDDEN, "forbidden", "this token is good for another family alone")
        elif "origin" in headers:  # without tokens, a page in somebody's browser could do what they may do
            return problem(HTTPStatus.FORBIDDEN, "forbidden", "web pages need a token; set FACEALBUM_API_TOKENS")
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._max_bytes:
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_entity_too_large", self._too_large())
        return None

    def _counting(self, receive: Receive) -> Receive:
        """The same for a body that doesn't tell its length."""
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self._max_bytes:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_large())
            return message

        return counted

    def _too_large(self) -> str:
        return f"a request may have {self._max_bytes} bytes; FACEALBUM_MAX_REQUEST_BYTES sets it"


def _family(path: str) -> UUID | None:
    found = _FAMILY.match(path)
    try:
        return UUID(found[1]) if found else None
    except ValueError:
        return None
