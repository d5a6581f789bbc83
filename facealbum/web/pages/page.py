"""How a page is made: its template, in the reader's language, inside the frame that all pages share.

`render` gives a template `_`, `ngettext`, numbers and dates as filters, `may(Right.X)`, `csrf` for its forms, and what
the page itself hands over.  A form is answered by `lead_back`: 303 to a page that then says once what was done.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from facealbum.domain.access import Right
from facealbum.domain.ids import FamilyId
from facealbum.errors import InvalidValueError
from facealbum.steps.access import proof_of
from facealbum.web.assets import asset_url
from facealbum.web.languages import LANGUAGES, Language, language, language_of
from facealbum.web.problems import Problem, answer
from facealbum.web.rights import Known
from facealbum.web.sessions import set_cookie

Sure = Annotated[str, Form()]
"""The field `sure` of a form that asks."""
THEMES = ("light", "dark")
THEME_COOKIE = "facealbum-theme"
_TOLD_COOKIE = "facealbum-told"
_TOLD_SECONDS = 60


def render(
    request: Request, known: Known | None, template: str, *, status: int = HTTPStatus.OK, **values: object
) -> HTMLResponse:
    """The page of a template; `known` is who sees it, None before anybody logged in."""
    told = request.cookies.get(_TOLD_COOKIE)
    theme = request.cookies.get(THEME_COOKIE)
    frame = {
        "known": known,
        "may": partial(_may, known),
        "csrf": proof_of(known.session) if known and known.session else "",
        "path": request.url.path,
        "here": str(request.url.replace(scheme="", netloc="")),
        "told": unquote(told) if told else "",
        "theme": theme if theme in THEMES else "",
    }
    page = _pages(language_of(request).code).get_template(template).render(frame | values)
    response = HTMLResponse(page, status)
    if told:
        response.delete_cookie(_TOLD_COOKIE)
    return response


def lead_back(request: Request, to: str, text: str, **values: object) -> Response:
    """Lead the browser to a page of ours that says once what was done; `text` has `%(name)s` for each value."""
    response = RedirectResponse(to, HTTPStatus.SEE_OTHER)
    said = quote(language_of(request).say(text, **values))
    set_cookie(response, request, _TOLD_COOKIE, said, seconds=_TOLD_SECONDS)
    return response


def expect_sure(sure: str) -> None:
    """Raises InvalidValueError unless the question of `parts.act` was ticked."""
    if sure != "yes":
        raise InvalidValueError("this needs to be confirmed; go back and tick that you are sure")


def tell(request: Request, problem: Problem) -> Response:
    """A problem as a page for whoever looks at pages, else as problem+json."""
    if request.url.path.startswith("/v1/") or "text/html" not in request.headers.get("accept", ""):
        return answer(problem)
    known = request.scope.get("state", {}).get("known")
    page = render(request, known, "problem.html", status=problem.status, problem=problem)
    page.headers.update({name: value for name, value in answer(problem).headers.items() if name == "retry-after"})
    return page


def _may(known: Known | None, right: Right, family: FamilyId | None = None) -> bool:
    return known is not None and known.caller.may(right, family)


@cache
def _pages(code: str) -> Environment:
    """The templates as a reader of this language gets them."""
    spoken = language(code)
    pages = Environment(
        loader=PackageLoader("facealbum.web"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.install_gettext_callables(spoken.gettext, spoken.ngettext, newstyle=True)  # type: ignore[attr-defined]
    pages.filters.update(_filters(spoken))
    pages.globals.update(asset=asset_url, spoken=spoken, languages=LANGUAGES, Right=Right)
    return pages


def _filters(spoken: Language) -> Mapping[str, Callable[..., str]]:
    """Numbers and dates as the language writes them; `term`: a word of ours, such as a status, or a sentence."""
    return {
        "number": spoken.number,
        "percent": spoken.percent,
        "interval": spoken.interval,
        "day": spoken.day,
        "month": spoken.month,
        "moment": spoken.moment,
        "duration": spoken.duration,
        "term": spoken.tell,
        "author": spoken.author,
    }
