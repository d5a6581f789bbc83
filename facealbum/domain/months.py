"""Calendar months, the period of a clustering run."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from facealbum.errors import InvalidValueError

_DECEMBER = 12


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of a year in UTC, written 2026-10."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.year <= 9999 and 1 <= self.month <= _DECEMBER):  # noqa: PLR2004 - the calendar's limits
            raise InvalidValueError(f"a month must be YYYY-MM between 0001-01 and 9999-12, got {self}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "2026-10"; raises InvalidValueError for anything else."""
        year, dash, month = text.partition("-")
        if not (
            dash
            and len(year) == 4
            and len(month) == 2
            and (year + month).isascii()
            and (year + month).isdigit()
        ):  # noqa: PLR2004
            raise InvalidValueError(f"a month must be written YYYY-MM, as in 2026-10, got {text!r}")
        return cls(int(year), int(month))

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """The month that an aware moment falls into, in UTC."""
        utc = moment.astimezone(UTC)
        return cls(utc.year, utc.month)

    def next(self) -> "Month":
        """The month after this one."""
        return Month(self.year + self.month // _DECEMBER, self.month % _DECEMBER + 1)

    def start(self) -> datetime:
        """Its first instant."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    def through(self, last: "Month") -> Iterator["Month"]:
        """This month and every later one up to `last`, oldest first; nothing if `last` is earlier."""
        month = self
        while month <= last:
            yield month
            month = month.next()

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
