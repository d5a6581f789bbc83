"""Logging in and out: a form, and a page that tells who is logged in; whoever isn't is led to the form.

A refusal looks the same whoever is or isn't a user.  The form has a proof of its own, so that no other site can log
somebody in as somebody else.
"""

import secrets
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from facealbum.errors import SignInError, TooManyAttemptsError
from facealbum.steps.access import WINDOW, proof_of, sign_in, sign_out
from facealbum.web.pages.page import render
from facealbum.web.rights import Known, requires
from facealbum.web.sessions import FORM_COOKIE, SESSION_COOKIE, is_proof, read_cookie, set_cookie
from facealbum.web.world import World

router = APIRouter(include_in_schema=False)

Field = Annotated[str, Form()]
Anybody = Annotated[Known, requires(None)]


@router.get("/login")
def login_form(request: Request) -> Response:
    """Ask for name and password."""
    return login_page(request)


@router.post("/login")
def log_in(request: Request, world: World, name: Field = "", password: Field = "", csrf: Field = "") -> Response:
    """Begin a session, or ask again."""
    form = read_cookie(request.headers, FORM_COOKIE)
    if not form or not is_proof(csrf, form):
        return login_page(request, "this form was open for too long; try again", HTTPStatus.FORBIDDEN)
    try:
        secret = sign_in(world, name, password, address=request.client.host if request.client else "")
    except SignInError as error:
        return login_page(request, str(error), HTTPStatus.UNAUTHORIZED)
    except TooManyAttemptsError as error:
        refused = login_page(request, str(error), HTTPStatus.TOO_MANY_REQUESTS)
        refused.headers["Retry-After"] = str(round(WINDOW.total_seconds()))
        return refused
    return begin(request, secret)


@router.get("/session")
def session_page(request: Request, known: Anybody) -> Response:
    """Who is logged in, and how to log out."""
    return render(request, known, "session.html")


@router.post("/logout")
def log_out(world: World, known: Anybody, everywhere: Field = "") -> Response:
    """End this session, or all of the user's."""
    if known.session:
        sign_out(world, known.session, known.caller, everywhere=bool(everywhere))
    response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    response.delete_cookie(SESSION_COOKIE)
    return response


def begin(request: Request, secret: str) -> Response:
    """Give the browser the session of this secret, and lead it on."""
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    set_cookie(response, request, SESSION_COOKIE, secret)
    response.delete_cookie(FORM_COOKIE)
    return response


def login_page(request: Request, problem: str = "", status: HTTPStatus = HTTPStatus.OK) -> Response:
    """The form, with what went wrong before."""
    secret = secrets.token_urlsafe(32)
    provider = bool(request.app.state.context.settings.oidc_issuer)
    given = {"problem": problem, "csrf": proof_of(secret), "provider": provider}
    response = render(request, None, "login.html", status=status, **given)
    set_cookie(response, request, FORM_COOKIE, secret)
    return response
