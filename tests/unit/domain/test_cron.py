"""A schedule is due when cron would be, by the clocks of its time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.cron import Cron
from facealbum.errors import InvalidValueError
from facealbum.settings import load_settings


@pytest.mark.parametrize(
    ("schedule", "zone", "now", "due"),
    [
        ("0 3 1 * *", "UTC", "2026-11-01T03:00+00:00", "2026-11-01T03:00+00:00"),
        ("0 3 1 * *", "UTC", "2026-11-01T02:59+00:00", "2026-10-01T03:00+00:00"),
        ("0 3 1 * *", "Asia/Tokyo", "2026-10-31T18:00+00:00", "2026-10-31T18:00+00:00"),
        ("*/20 1-2 * * *", "UTC", "2026-11-05T12:00+00:00", "2026-11-05T02:40+00:00"),
        ("0 0 29 2 *", "UTC", "2026-11-05T12:00+00:00", "2024-02-29T00:00+00:00"),
        ("0 12 * * 7", "UTC", "2026-11-05T12:00+00:00", "2026-11-01T12:00+00:00"),
        ("0 12 1 * 3", "UTC", "2026-11-05T12:00+00:00", "2026-11-04T12:00+00:00"),
        ("30 2 29 3 *", "Europe/Berlin", "2026-04-01T00:00+00:00", "2026-03-29T01:30+00:00"),
    ],
)
def test_the_last_moment_is_that_of_a_calendar(schedule: str, zone: str, now: str, due: str) -> None:
    found = Cron.parse(schedule).latest(datetime.fromisoformat(now), ZoneInfo(zone))
    assert found == datetime.fromisoformat(due)


def test_a_day_that_no_month_has_is_never_due() -> None:
    assert Cron.parse("0 0 31 2 *").latest(datetime(2026, 11, 1, tzinfo=UTC), UTC) is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)), st.integers(0, 59), st.integers(0, 23))  # noqa: DTZ001 - naive as Hypothesis wants them
def test_a_daily_schedule_is_due_within_a_day_and_never_ahead(now: datetime, minute: int, hour: int) -> None:
    moment = now.replace(tzinfo=UTC)
    found = Cron.parse(f"{minute} {hour} * * *").latest(moment, UTC)
    assert found
    assert timedelta() <= moment - found < timedelta(days=1)
    assert (found.minute, found.hour) == (minute, hour)


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        ("0 3 1 *", "five fields"),
        ("60 3 1 * *", "minute"),
        ("0 3 0 * *", "day of month"),
        ("0 x * * *", "hour"),
        ("*/0 * * * *", "minute"),
        ("5-1 * * * *", "minute"),
        ("0 3 1 * 8", "day of week"),
    ],
)
def test_what_is_no_schedule_is_told_by_its_field(schedule: str, field: str) -> None:
    with pytest.raises(InvalidValueError, match=field):
        Cron.parse(schedule)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [("MONTHLY_CRON", "monthly", "five fields"), ("TIMEZONE", "Mars/Olympus", "IANA"), ("TIMEZONE", "../x", "IANA")],
)
def test_a_wrong_schedule_or_zone_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"FACEALBUM_{variable}", value)
    with pytest.raises(InvalidValueError, match=f"FACEALBUM_{variable}.*{told}"):
        load_settings()
