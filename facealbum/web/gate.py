"""What every request passes before anything of its body is read: who sends it, for which family, and how large it is.

Who isn't known gets no further than `PUBLIC`; what a known caller may do is asked by each route (facealbum.web.rights).
A mistake of ours behind the gate is answered with its kind alone and logged with its place, without any value.
"""

import re
from functools import partial
from http import HTTPStatus

from anyio import to_thread
from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facealbum.domain.access import Caller, Role
from facealbum.domain.ids import FamilyId
from facealbum.errors import FacealbumError, UnknownFamilyError
from facealbum.logs import get_logger, place_of
from facealbum.steps.access import caller_of_nothing, caller_of_session, caller_of_token
from facealbum.steps.context import Context
from facealbum.web import assets
from facealbum.web.headers import with_headers
from facealbum.web.pages.page import tell
from facealbum.web.paths import family_of, names_family
from facealbum.web.problems import Problem, problem, problem_of
from facealbum.web.rights import Known
from facealbum.web.sessions import SESSION_COOKIE, read_cookie
from facealbum.web.tokens import Token, find_token

PUBLIC = frozenset(
    {"/healthz", "/readyz", "/metrics", "/openapi.json", "/login", "/login/oidc", "/login/oidc/callback", "/look"}
)
_FORM_BYTES = 16_384
_OWN_HOST = re.compile(r"(?:127(?:\.\d+){3}|\[::1\]|[A-Za-z0-9-]+)(?::\d+)?")  # addresses of this machine, plain names
SETTING = "setting"
"""How records name whoever has a token of FACEALBUM_API_TOKENS."""
_log = get_logger(__name__)


class Gate:
    """Lets requests through of those who are known, about their family alone, with a body of at most so many bytes."""

    def __init__(self, app: ASGIApp, *, tokens: tuple[Token, ...], max_bytes: int) -> None:
        self._app = app
        self._tokens = tokens
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noting_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        sending = with_headers(noting_start)
        try:
            if refused := await self._refusal(scope):
                await _tell(refused, scope)(scope, receive, sending)
            else:
                await self._app(scope, self._counting(receive, self._most(scope["path"])), sending)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as error:
            _log.error("request_crashed", code="crashed", place=place_of(error))
            if started:
                raise
            crash = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "crashed", "the service failed; tell its operator when")
            await tell(Request(scope), crash)(scope, receive, sending)

    async def _refusal(self, scope: Scope) -> Problem | None:
        path, headers = scope["path"], Headers(scope=scope)
        if not _is_public(path):
            try:
                known = _by_signature(scope) or await self._by_headers(scope, headers)
            except FacealbumError as error:
                return problem_of(error)
            if isinstance(known, Problem):
                return known
            if refused := _of_another_family(known.caller, path):
                return refused
            scope.setdefault("state", {})["known"] = known
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._most(path):
            return problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_entity_too_large", _too_large(self._most(path))
            )
        return None

    async def _by_headers(self, scope: Scope, headers: Headers) -> Known | Problem:
        return await to_thread.run_sync(partial(self._known, scope["app"].state.context, headers))

    def _known(self, context: Context, headers: Headers) -> Known | Problem:
        """Who sends it, by token or session; without any, and nobody registered, whoever is no other site's page."""
        authorization = headers.get("authorization", "")
        if token := find_token(self._tokens, authorization.encode()):
            return Known(Caller(SETTING, Role.OPERATOR, FamilyId(token.family) if token.family else None))
        kind, _, secret = authorization.partition(" ")
        if kind.lower() == "bearer" and (caller := caller_of_token(context, secret.strip())):
            return Known(caller)
        session = read_cookie(headers, SESSION_COOKIE)
        if session and (caller := caller_of_session(context, session)):
            return Known(caller, session)
        if not self._tokens and (caller := caller_of_nothing(context)):
            if not _is_of_this_machine(headers):  # a page in somebody's browser could do what they may do
                detail = "pages of other sites need a token; set FACEALBUM_API_TOKENS"
                return problem(HTTPStatus.FORBIDDEN, "forbidden", detail)
            return Known(caller)
        detail = "log in, or send the header Authorization: Bearer TOKEN with a token that is good"
        return problem(HTTPStatus.UNAUTHORIZED, "unauthorized", detail)

    def _most(self, path: str) -> int:
        """The largest body; of whoever isn't known yet, that of a form."""
        return min(_FORM_BYTES, self._max_bytes) if _is_public(path) else self._max_bytes

    def _counting(self, receive: Receive, most: int) -> Receive:
        """The same for a body that doesn't tell its length."""
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(most))
            return message

        return counted


def _is_public(path: str) -> bool:
    return path in PUBLIC or path.startswith(assets.PATH)


def _is_of_this_machine(headers: Headers) -> bool:
    """Whether no page but our own sent it, under a name that no other site can lead here (DNS rebinding)."""
    host = headers.get("host", "")
    address = f"//{host}"
    ours = headers.get("origin", f"http:{address}") in {f"http:{address}", f"https:{address}"}
    return ours and bool(_OWN_HOST.fullmatch(host))


def _by_signature(scope: Scope) -> Known | None:
    """Whoever was given a signed URL of a picture sees it in the name of who was told the URL."""
    query = QueryParams(scope["query_string"])
    if scope["method"] != "GET" or "signature" not in query:
        return None
    state, path = scope["app"].state, scope["path"]
    viewer, family = state.signer.viewer(path, query, now=state.context.clock()), family_of(path)
    return Known(Caller(viewer, Role.VIEWER, family)) if viewer and family else None


def _too_large(most: int) -> str:
    return f"a request like this may have {most} bytes; FACEALBUM_MAX_REQUEST_BYTES sets it for those with photos"


def _of_another_family(caller: Caller, path: str) -> Problem | None:
    """The refusal for a caller that is good for another family alone, who isn't told whether there is this one."""
    if caller.family is None:
        return None
    named = names_family(path)
    if caller.name == SETTING and family_of(path) != caller.family:
        return problem(HTTPStatus.FORBIDDEN, "forbidden", "this token is good for another family alone")
    if named and family_of(path) != caller.family:
        return problem_of(UnknownFamilyError(f"no family has the id {named}"))
    return None


def _tell(refused: Problem, scope: Scope) -> ASGIApp:
    """The problem; whoever looks for a page is led to where to log in."""
    page = scope["method"] == "GET" and not scope["path"].startswith("/v1/")
    if page and refused.status == HTTPStatus.UNAUTHORIZED:
        return RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    return tell(Request(scope), refused)
