"""Sessions as a browser keeps them: a cookie with the secret, and its proof on our pages alone.

The proof is what another site's page can't send; forms have it as the field `csrf`, scripts send it as X-CSRF-Token.
"""

import hmac

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from facealbum.steps.access import SESSION, proof_of

SESSION_COOKIE, FORM_COOKIE = "facealbum-session", "facealbum-form"
_FORM = "application/x-www-form-urlencoded"


def read_cookie(headers: Headers, name: str) -> str | None:
    """The cookie's value."""
    return cookie_parser(headers.get("cookie", "")).get(name)


def set_cookie(response: Response, request: Request, name: str, value: str, *, seconds: float | None = None) -> None:
    """Have the browser keep it as long as a session, out of the reach of scripts; over HTTPS, sent by that alone."""
    response.set_cookie(
        name,
        value,
        max_age=round(SESSION.total_seconds() if seconds is None else seconds),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def is_proof(given: str, secret: str) -> bool:
    """Whether this is what a page of ours that was made for the secret holds; takes as long if it is nearly right."""
    return hmac.compare_digest(proof_of(secret).encode(), given.encode())


async def has_proof(request: Request, secret: str) -> bool:
    """Whether the request has it, as header or field of a form."""
    given = request.headers.get("x-csrf-token")
    if given is None and request.headers.get("content-type", "").startswith(_FORM):
        given = str((await request.form()).get("csrf", ""))
    return is_proof(given or "", secret)
