"""Lists, a page at a time: `{"items": [...], "next": "..."}`, where `next` goes on behind the last item.

It holds that item's keys, so what comes or goes meanwhile neither repeats nor hides another item; a page costs the
same wherever it begins.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field, TypeAdapter

from facealbum.errors import InvalidValueError

MOST = 200
T = TypeVar("T")
K = TypeVar("K", bound=tuple[Any, ...])


class Page(BaseModel, Generic[T]):
    """Some items, and what to send as `after` for those behind them; null at the end."""

    items: list[T]
    next: str | None = Field(examples=["WzQyXQ"])


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which page somebody asks for."""

    limit: int
    after: str | None


def _wanted(
    limit: Annotated[int, Query(ge=1, le=MOST, description="How many items at most")] = 50,
    after: Annotated[str | None, Query(description="`next` of the page before", max_length=1000)] = None,
) -> Wanted:
    return Wanted(limit, after)


Paging = Annotated[Wanted, Depends(_wanted)]


class Keys(Generic[K]):
    """The keys that a list is in the order of, such as `Keys(tuple[datetime, UUID])`."""

    def __init__(self, kind: type[K]) -> None:
        self._adapter: TypeAdapter[K] = TypeAdapter(kind)

    def read(self, wanted: Wanted) -> K | None:
        """Those to go on behind; raises InvalidValueError for what is no `next` of this list."""
        if wanted.after is None:
            return None
        try:
            padded = wanted.after.encode("ascii") + b"=" * (-len(wanted.after) % 4)
            return self._adapter.validate_json(urlsafe_b64decode(padded), strict=False)
        except ValueError as error:
            raise InvalidValueError("after must be the `next` of the page before") from error

    def page(self, found: Sequence[T], wanted: Wanted, key: Callable[[T], K]) -> tuple[Sequence[T], str | None]:
        """The page and its `next`, of what was found behind `read`, up to one more than the limit."""
        if len(found) <= wanted.limit:
            return found, None
        last = self._adapter.dump_json(key(found[wanted.limit - 1]))
        return found[: wanted.limit], urlsafe_b64encode(last).decode().rstrip("=")

    def part(self, found: Iterable[T], wanted: Wanted, key: Callable[[T], K]) -> tuple[Sequence[T], str | None]:
        """The same of a whole list, short enough to be read at once."""
        after = self.read(wanted)
        ordered = sorted(found, key=key)
        return self.page([one for one in ordered if after is None or key(one) > after], wanted, key)
