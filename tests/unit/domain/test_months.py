"""Months are read, ordered and counted as a calendar does."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError

months = st.builds(Month, st.integers(1, 9998), st.integers(1, 12))


@given(months)
def test_a_month_reads_what_it_writes(month: Month) -> None:
    assert Month.parse(str(month)) == month


def test_a_period_may_end_with_the_last_month_there_is() -> None:
    assert list(Month(9999, 11).through(Month(9999, 12))) == [Month(9999, 11), Month(9999, 12)]
    assert not list(Month(9999, 12).through(Month(9999, 11)))
    with pytest.raises(InvalidValueError, match="before 9999-12"):
        Month(9999, 12).next()


@given(months)
def test_the_next_month_starts_where_this_one_ends(month: Month) -> None:
    last_instant = month.next().start() - timedelta(microseconds=1)
    assert Month.of(last_instant) == month
    assert Month.of(month.next().start()) == month.next()
    assert month.next().before() == month


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "26-01", "2026-1", "2026/01", "٢٠٢٦-٠١", "2026-01-01"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        Month.parse(text)


def test_a_month_is_taken_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert Month.of(datetime(2026, 11, 1, 8, 59, tzinfo=tokyo)) == Month(2026, 10)
    assert Month.of(datetime(2026, 11, 1, 9, 0, tzinfo=tokyo)).start() == datetime(2026, 11, 1, tzinfo=UTC)
