"""Choosing the language and the light; kept by the browser alone, so nobody need be logged in."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from facealbum.web.languages import LANGUAGE_COOKIE, LANGUAGES
from facealbum.web.pages.page import THEME_COOKIE, THEMES
from facealbum.web.sessions import set_cookie

router = APIRouter(include_in_schema=False)
_YEAR_SECONDS = 31_536_000


@router.post("/look")
def choose(
    request: Request,
    back: Annotated[str, Form()] = "/",
    language: Annotated[str, Form()] = "",
    theme: Annotated[str, Form()] = "",
) -> Response:
    """Keep what is given, and lead back to the page of ours that asked; a theme that there isn't is the system's."""
    ours = back.startswith("/") and not back.startswith(("//", "/\\"))
    response = RedirectResponse(back if ours else "/", HTTPStatus.SEE_OTHER)
    if language and language in LANGUAGES:
        set_cookie(response, request, LANGUAGE_COOKIE, language, seconds=_YEAR_SECONDS)
    if theme and theme in THEMES:
        set_cookie(response, request, THEME_COOKIE, theme, seconds=_YEAR_SECONDS)
    elif theme:
        response.delete_cookie(THEME_COOKIE)
    return response
