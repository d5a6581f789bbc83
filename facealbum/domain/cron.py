"""When a job is due that is written as the five fields of cron: minute, hour, day of month, month, day of week.

Numbers, lists, ranges and steps (`0`, `1,15`, `1-5`, `*/2`); Sunday is 0 or 7.  Where both kinds of day are given,
either will do, as in every cron.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Self

from facealbum.errors import InvalidValueError

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
_SUNDAY = 7
_LONGEST_GAP_DAYS = 8 * 366  # from one 29th of February to the next, around the year 2100


@dataclass(frozen=True, slots=True)
class Cron:
    """Moments by the clock and the calendar; `anyhow`: which of the two kinds of day are not narrowed down."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    anyhow: tuple[bool, bool]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "0 3 1 * *"; raises InvalidValueError that names the field that is wrong."""
        parts = text.split()
        if len(parts) != len(_FIELDS):
            raise InvalidValueError(f"a schedule must have five fields, as in '0 3 1 * *', got {text!r}")
        minutes, hours, days, months, weekdays = (
            _parse(part, *field) for part, field in zip(parts, _FIELDS, strict=True)
        )
        sunday_is_0 = frozenset(day % _SUNDAY for day in weekdays)
        return cls(minutes, hours, days, months, sunday_is_0, anyhow=(parts[2] == "*", parts[4] == "*"))

    def latest(self, now: datetime, zone: tzinfo) -> datetime | None:
        """The last moment up to `now` at which it was due by the clocks of that zone; None if no such day exists."""
        today = now.astimezone(zone).date()
        for days in range(_LONGEST_GAP_DAYS):
            for moment in self._moments(today - timedelta(days=days), zone):
                if moment <= now:
                    return moment
        return None

    def _moments(self, day: date, zone: tzinfo) -> Iterator[datetime]:
        """The day's moments, the last one first."""
        if day.month in self.months and self._has_day(day):
            for hour in sorted(self.hours, reverse=True):
                for minute in sorted(self.minutes, reverse=True):
                    # In UTC, as a moment that the clocks leave out in spring equals none in its own zone.
                    yield datetime.combine(day, time(hour, minute), zone).astimezone(UTC)

    def _has_day(self, day: date) -> bool:
        by_month, by_week = day.day in self.days, day.isoweekday() % _SUNDAY in self.weekdays
        return by_month and by_week if any(self.anyhow) else by_month or by_week


def _parse(text: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = (str(low), "-", str(high)) if span == "*" else span.partition("-")
        try:
            numbers = range(int(first), int(last if dash else (high if step else first)) + 1, int(step or 1))
        except ValueError:
            numbers = range(0)
        if not numbers or not low <= numbers[0] <= numbers[-1] <= high:
            raise InvalidValueError(f"the {name} of a schedule must be * or numbers from {low} to {high}, got {text!r}")
        found.update(numbers)
    return frozenset(found)
