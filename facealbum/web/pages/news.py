"""What a page says after a decision was made or undone on it: the decision itself, and one button to take it back.

The URL names the decision by its number (`?decided=12`, `?undone=12`); what is said is read from the record, so a URL
can't make a page say anything that isn't so.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request

from facealbum.domain.ids import FamilyId
from facealbum.steps.context import Context
from facealbum.steps.correct import Decided, latest_decisions

_NAMES = ("decided", "undone")
_MOST = 2**31


@dataclass(frozen=True, slots=True)
class News:
    """back: this page without its news.  decided: what was just decided, or what was just undone."""

    back: str
    decided: Decided | None = None


def news_of(world: Context, request: Request, family: FamilyId) -> News:
    """What this page has to say; raises UnknownFamilyError."""
    back = our_page(f"{request.url.path}?{request.url.query}")
    told = next((request.query_params[name] for name in _NAMES if name in request.query_params), "")
    if not (told.isascii() and told.isdigit() and int(told) < _MOST):
        return News(back)
    found = latest_decisions(world, family, limit=1, numbers=[int(told)])
    return News(back, found[0] if found else None)


def our_page(url: str) -> str:
    """The URL without its news, or the overview if it is none of ours."""
    ours = url.startswith("/") and not url.startswith(("//", "/\\"))
    parts = urlsplit(url if ours else "/")
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name not in _NAMES])
    return f"{parts.path}?{query}" if query else parts.path


def with_news(back: str, **said: int) -> str:
    """The page of ours that tells of a decision."""
    plain = our_page(back)
    return f"{plain}{'&' if '?' in plain else '?'}{urlencode(said)}"
