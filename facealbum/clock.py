"""The time of day, read only at entry points and passed on as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present moment as an aware datetime in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one place where the clock is read
