"""Calendar months, the period of a clustering run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Self

from facealbum.errors import InvalidValueError

PHOTO_YEARS = range(1900, 2100)
"""Years in which a photo can have been taken, whoever says so."""

_DECEMBER = 12
_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of a year in UTC, written 2026-10."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (MINYEAR <= self.year <= MAXYEAR and 1 <= self.month <= _DECEMBER):
            raise InvalidValueError(f"a month must be YYYY-MM between 0001-01 and 9999-12, got {self}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "2026-10"; raises InvalidValueError for anything else."""
        if not _WRITTEN.fullmatch(text):
            raise InvalidValueError(f"a month must be written YYYY-MM, as in 2026-10, got {text!r}")
        year, month = text.split("-")
        return cls(int(year), int(month))

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """The month that an aware moment falls into, in UTC."""
        utc = moment.astimezone(UTC)
        return cls(utc.year, utc.month)

    def next(self) -> "Month":
        """The month after this one; raises InvalidValueError for the last that there is."""
        if (self.year, self.month) == (MAXYEAR, _DECEMBER):
            raise InvalidValueError(f"a month must be before {self}, the last that there is")
        return Month(self.year + self.month // _DECEMBER, self.month % _DECEMBER + 1)

    def before(self) -> "Month":
        """The month before this one."""
        return Month(self.year - (self.month == 1), (self.month - 2) % _DECEMBER + 1)

    def start(self) -> datetime:
        """Its first instant."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    def through(self, last: "Month") -> Iterator["Month"]:
        """This month and every later one up to `last`, oldest first; nothing if `last` is earlier."""
        month = self
        while month < last:
            yield month
            month = month.next()
        if month == last:
            yield month

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
