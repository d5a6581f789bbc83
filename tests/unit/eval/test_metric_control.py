"""Limits are as wide as months really differ, and an alarm means that a month is worse than they let expect."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.change import estimate_change
from eval.metrics.control import LEAST, MOST, MonthPoint, find_alarms, track_months
from eval.metrics.estimates import Estimate, estimate_from_sums, sum_pairs, wilson
from facealbum.domain.months import Month

JANUARY = Month(2026, 1)


def point(number: int, value: float | None, *, half: float = 0.02, model: str = "m1") -> MonthPoint:
    month = Month(2026 + number // 12, number % 12 + 1)
    low, high = (0.0, 1.0) if value is None else (max(0.0, value - half), value + half)
    cases = 1000.0 if value is not None else 0.0
    return MonthPoint(month, Estimate(value, low, high, (value or 0) * cases, cases, 100, 0.95), (model,))


def points(*values: float | None) -> list[MonthPoint]:
    return [point(number, value) for number, value in enumerate(values)]


def test_without_enough_months_there_are_no_limits() -> None:
    sides = [one.side for one in track_months("breakage", points(*[0.1] * LEAST, 0.9))]
    assert sides == ["unknown"] * LEAST + ["above"]


def test_months_without_a_case_are_left_out() -> None:
    assert [one.point.month.month for one in track_months("breakage", points(0.1, None, 0.2))] == [1, 3]


@given(st.lists(st.floats(0, 1), min_size=LEAST + 1, max_size=30))
def test_limits_are_made_of_the_months_before_alone(values: list[float]) -> None:
    tracked = track_months("breakage", points(*values))
    again = track_months("breakage", points(*values[:-1], 0.5))
    assert (tracked[-1].centre, tracked[-1].low, tracked[-1].high) == (again[-1].centre, again[-1].low, again[-1].high)
    assert tracked[:-1] == again[:-1]
    assert tracked[-1].baseline == min(MOST, len(values) - 1)


@pytest.mark.parametrize(
    ("metric", "worse", "better"), [("breakage", 0.6, 0.0), ("coverage", 0.0, 0.6), ("collisions", 0.6, 0.0)]
)
def test_only_the_unwanted_side_is_an_alarm(metric: str, worse: float, better: float) -> None:
    steady = [0.30, 0.31, 0.29, 0.30, 0.31, 0.30, 0.29, 0.30]
    assert len(find_alarms(track_months(metric, points(*steady, worse)))) == 1
    assert find_alarms(track_months(metric, points(*steady, better))) == []
    assert find_alarms(track_months(metric, points(*steady, 0.30))) == []


def test_months_that_always_jumped_may_jump_again() -> None:
    wild = [0.1, 0.4, 0.15, 0.45, 0.1, 0.4, 0.2, 0.5]
    assert track_months("breakage", points(*wild, 0.5))[-1].side == "within"


def test_an_alarm_names_the_models_that_changed() -> None:
    months = [point(number, 0.1) for number in range(8)] + [point(8, 0.9, model="m2")]
    (said,) = find_alarms(track_months("breakage", months))
    assert said.endswith("the embedding model changed from m1 to m2")
    assert said.startswith("breakage of 2026-09 is 90.0% in 100 families, above the ")


def drawn(seed: int, *, months: int, shift: float = 0.0, families: int = 300) -> list[MonthPoint]:
    """Months of the same families, whose rates differ, with a season; the last one shifted."""
    draw = np.random.default_rng(seed)
    base = draw.beta(0.6, 5.4, size=families)
    found = []
    for number in range(months):
        rate = np.clip(base * (1 + 0.05 * draw.normal()) + (shift if number == months - 1 else 0), 0, 1)
        cases = 1 + draw.poisson(5, size=families)
        rows = np.column_stack([draw.binomial(cases, rate), cases]).astype(float)
        estimate = estimate_from_sums(sum_pairs(rows, np.ones(families, np.int64)))
        found.append(MonthPoint(point(number, 0).month, estimate, ("m1",)))
    return found


def test_steady_months_rarely_raise_an_alarm_and_a_shift_does() -> None:
    quiet = sum(track_months("breakage", drawn(seed, months=13))[-1].side != "within" for seed in range(200))
    seen = sum(track_months("breakage", drawn(seed, months=13, shift=0.08))[-1].worse for seed in range(60))
    assert quiet <= 3, f"{quiet} of 200 steady months lay outside"
    assert seen >= 54, f"{seen} of 60 shifts by eight points were seen"


def test_months_in_which_all_families_agree_have_the_limits_that_months_tell() -> None:
    agreed = [point(number, 0.5, half=0.0) for number in range(8)]
    assert [one.side for one in track_months("coverage", agreed)[-2:]] == ["within", "within"]
    assert track_months("coverage", [*agreed, point(8, 0.4, half=0.0)])[-1].side == "below"


def test_what_families_always_differ_by_is_no_change() -> None:
    base = np.arange(1.0, 41.0)
    pairs = np.column_stack([base, np.full(40, 50.0), base + 1, np.full(40, 50.0)])
    change = estimate_change(pairs.sum(axis=0), pairs.T @ pairs, 40)
    assert (change.before, change.value) == pytest.approx((20.5 / 50, 0.02))
    assert (change.low, change.high) == pytest.approx((0.02, 0.02), abs=1e-6)


def test_families_in_which_nothing_was_ever_seen_do_not_prove_that_there_is_nothing() -> None:
    pairs = np.tile([0.0, 10.0, 0.0, 12.0], (20, 1))
    change = estimate_change(pairs.sum(axis=0), pairs.T @ pairs, 20)
    _, most = wilson(0.0, 20)
    assert (change.value, change.low, change.high) == pytest.approx((0.0, -most, most))
    assert most == pytest.approx(0.161, abs=0.001)


def test_nothing_is_known_of_a_change_by_one_family_or_none() -> None:
    one = np.array([1.0, 10.0, 2.0, 10.0])
    assert estimate_change(one, np.outer(one, one), 1).to_dict() == {
        "before": 0.1, "after": 0.2, "value": 0.1, "low": None, "high": None, "families": 1, "level": 0.95,
    }  # fmt: skip
    nothing = estimate_change(np.zeros(4), np.zeros((4, 4)), 0)
    assert (nothing.value, nothing.before) == (None, None)
