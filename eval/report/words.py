"""Numbers, dates, ages and rates as a reader says them; the same in every locale."""

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from facealbum.clustering.intervals import Rate
from facealbum.domain.months import Month

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TODDLER = 2  # years; younger children's ages are told in months
_CERTAIN = 0.99

Item = TypeVar("Item")


def number(value: int) -> str:
    """A count such as 2,000."""
    return f"{value:,}"


def count(value: int, one: str, many: str) -> str:
    """A count and its noun: 1 face, 2,000 faces."""
    return f"{value:,} {one if value == 1 else many}"


def day(moment: date) -> str:
    """A date such as 2 Jul 2026."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def month(value: Month) -> str:
    """A month such as Jul 2026."""
    return f"{_MONTHS[value.month - 1]} {value.year}"


def span(first: date, last: date) -> str:
    """Two dates, as in 2 Jul 2026 to 9 Oct 2026, or the one day."""
    return day(first) if first == last else f"{day(first)} to {day(last)}"


def age(years: float) -> str:
    """An age in months below two years, in years above."""
    if years < _TODDLER:
        return count(max(0, round(years * 12)), "month", "months")
    return f"{years:.0f} years"


def probability(value: float | None) -> str:
    """What made a link, never rounded up to certainty."""
    if value is None:
        return "linked by the family"
    return "linked, over 99% sure" if value > _CERTAIN else f"linked, {value:.0%} sure"


def percent(rate: Rate) -> str:
    """A rate such as 87.5%, or a dash where there is no case."""
    return "\N{EN DASH}" if rate.value is None else f"{rate.value:.1%}"


def evidence(rate: Rate) -> str:
    """What stands behind a rate: 7 of 8, 95% interval 52.9% to 97.8%."""
    if rate.value is None:
        return "0 of 0, nothing to measure yet"
    low, high = rate.interval
    return f"{rate.hits:,} of {rate.cases:,}, 95% interval {low:.1%} to {high:.1%}"


def pick_evenly(items: Sequence[Item], most: int) -> tuple[Item, ...]:
    """At most `most` of the items, spread evenly from the first to the last, in their order."""
    if len(items) <= most:
        return tuple(items)
    step = (len(items) - 1) / max(1, most - 1)
    return tuple(items[round(place * step)] for place in range(most))
