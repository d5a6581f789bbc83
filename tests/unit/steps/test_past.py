"""Months of the past are there before they begin, and go once no instant that may be asked about needs them."""

from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.months import Month
from facealbum.steps.past import PastPlan, plan_past

TODAY = Month(2026, 11)
MONTHS = st.builds(Month, st.integers(2024, 2027), st.integers(1, 12))


def test_a_year_of_the_past_is_the_months_before_this_one() -> None:
    there = list(Month(2025, 9).through(Month(2026, 12)))
    plan = plan_past(there, TODAY, keep=12)
    assert plan == PastPlan((Month(2027, 1),), (Month(2025, 9), Month(2025, 10)), Month(2025, 11))


def test_the_past_is_kept_for_ever_unless_somebody_says_for_how_long() -> None:
    assert plan_past([Month(2001, 1)], TODAY, keep=0) == PastPlan((Month(2026, 12), Month(2027, 1)), (), None)


@given(there=st.sets(MONTHS), keep=st.integers(1, 30))
def test_a_plan_that_was_done_leaves_nothing_to_do(there: set[Month], keep: int) -> None:
    plan = plan_past(there, TODAY, keep=keep)
    left = there.union(plan.made) - set(plan.dropped)
    assert plan_past(left, TODAY, keep=keep) == PastPlan((), (), plan.since)
    assert all(month >= (plan.since or TODAY) for month in left)
