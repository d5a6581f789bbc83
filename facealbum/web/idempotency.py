"""`Idempotency-Key` for every POST of /v1 with a JSON body, or with none.

It stands before the endpoints, which know nothing of it.  An answer that says `Cache-Control: no-store` by itself has a
secret in it and is not kept.
"""

import re
from functools import partial
from hashlib import sha256
from http import HTTPStatus

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facealbum.errors import FacealbumError, InvalidValueError
from facealbum.steps.idempotency import answer_request, claim_request, forget_request
from facealbum.storage.idempotency import KeptAnswer, KeyedRequest
from facealbum.web.paths import family_of
from facealbum.web.problems import answer, problem, problem_of

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class Keyed:
    """The application, whose JSON POSTs may be sent again."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        key = Headers(scope=scope).get("idempotency-key") if scope["type"] == "http" else None
        if key is None or not _is_keyed(scope):
            await self._app(scope, receive, send)
            return
        try:
            request = _request(scope, key, body := await _read(receive))
            claim = partial(claim_request, scope["app"].state.context, request)
            kept = await to_thread.run_sync(claim)
        except FacealbumError as error:
            await answer(problem_of(error))(scope, receive, send)
        except HTTPException as error:  # the body is too large
            code = HTTPStatus(error.status_code).name.lower()
            await answer(problem(error.status_code, code, error.detail))(scope, receive, send)
        else:
            if kept is None:
                await self._work(request, body, scope, send)
            else:
                await _replay(kept)(scope, receive, send)

    async def _work(self, request: KeyedRequest, body: bytes, scope: Scope, send: Send) -> None:
        context = scope["app"].state.context
        held = _Held()
        try:
            await self._app(scope, _told(body), held)
            kept = held.kept(request)
        except BaseException:
            await to_thread.run_sync(forget_request, context, request)
            raise
        if kept is None:
            await to_thread.run_sync(forget_request, context, request)
        else:
            family = family_of(scope["path"]) or family_of(kept.location or "")
            await to_thread.run_sync(answer_request, context, request, kept, family)
        for message in held.messages:
            await send(message)


class _Held:
    """An answer, until what it says is kept."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    def kept(self, request: KeyedRequest) -> KeptAnswer | None:
        """What is kept of it; None if it is an error."""
        start, *rest = self.messages
        headers = Headers(raw=start["headers"])
        if start["status"] >= HTTPStatus.BAD_REQUEST:
            return None
        body = b"".join(message.get("body", b"") for message in rest)
        secret = "no-store" in headers.get("cache-control", "")
        return KeptAnswer(request.digest, start["status"], None if secret else body, headers.get("location"))


def _is_keyed(scope: Scope) -> bool:
    kind = Headers(scope=scope).get("content-type", "application/json").partition(";")[0].strip().lower()
    return scope["method"] == "POST" and scope["path"].startswith("/v1/") and kind == "application/json"


def _request(scope: Scope, key: str, body: bytes) -> KeyedRequest:
    if not _KEY.fullmatch(key):
        raise InvalidValueError("Idempotency-Key must be 1 to 200 characters of ASCII without spaces, such as a UUID")
    asked = b"\n".join([scope["method"].encode(), scope["path"].encode(), scope["query_string"], body])
    return KeyedRequest(scope["state"]["known"].caller.name, key, sha256(asked).digest())


async def _read(receive: Receive) -> bytes:
    """The whole body."""
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _told(body: bytes) -> Receive:
    """Tells the body that was read already."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _replay(kept: KeptAnswer) -> Response:
    headers = {"Idempotency-Replayed": "true"} | ({"Location": kept.location} if kept.location else {})
    kind = "application/json" if kept.answer else None
    return Response(kept.answer, kept.status or HTTPStatus.OK, headers, kind)
