"""Ratios over families: families are the unit, intervals hold their level, and few families claim little."""

from math import inf
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eval.metrics import METRICS, FamilyCount, Sums, estimate_from_sums, estimate_ratio
from eval.metrics.estimates import sum_pairs
from facealbum.errors import InvalidValueError

pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted), min_size=1, max_size=40)


def counts(rows: list[list[int]]) -> list[FamilyCount]:
    return [FamilyCount(UUID(int=number), *map(float, row)) for number, row in enumerate(rows)]


def families(number: int, *, rate: float, seed: int) -> np.ndarray:
    """Families of about 20 cases whose rates differ."""
    draw = np.random.default_rng(seed)
    cases = 1 + draw.poisson(19, size=number)
    hits = draw.binomial(cases, draw.beta(4 * rate, 4 * (1 - rate), size=number))
    return np.column_stack([hits, cases]).astype(float)


def sums_of(rows: np.ndarray) -> Sums:
    return sum_pairs(rows, np.ones(len(rows), np.int64))


@given(pairs, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_the_order_of_families_changes_nothing(rows: list[list[int]], random: object) -> None:
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert estimate_ratio(counts(rows), draws=200) == estimate_ratio(counts(mixed), draws=200)


@given(pairs)
@settings(max_examples=50)
def test_a_share_and_its_interval_lie_between_0_and_1_and_hold_each_other(rows: list[list[int]]) -> None:
    found = estimate_ratio(counts(rows), draws=200)
    assert 0 <= found.low <= found.high <= 1
    if found.value is not None:
        assert found.low - 1e-12 <= found.value <= found.high + 1e-12
        assert found.value == pytest.approx(sum(row[0] for row in rows) / sum(row[1] for row in rows))


@given(pairs)
@settings(max_examples=50)
def test_families_without_cases_change_nothing(rows: list[list[int]]) -> None:
    assert estimate_ratio(counts([*rows, [0, 0]]), draws=200) == estimate_ratio(counts(rows), draws=200)


def test_the_bootstrap_is_that_of_drawing_families_one_by_one() -> None:
    rows = families(60, rate=0.3, seed=1)
    drawn = np.random.default_rng(5).integers(60, size=(20_000, 60))
    t, c = rows[drawn].sum(axis=1).T
    tail = stats.norm.cdf(np.sqrt(60 / 59) * stats.t.ppf(0.025, 59))
    found = estimate_ratio(rows, draws=20_000)
    assert (found.low, found.high) == pytest.approx(np.quantile(t / c, [tail, 1 - tail]), abs=0.004)


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.97])
def test_sums_alone_give_the_interval_of_the_bootstrap(rate: float) -> None:
    rows = families(800, rate=rate, seed=2)
    drawn, linear = estimate_ratio(rows), estimate_from_sums(sums_of(rows))
    width = drawn.high - drawn.low
    assert (linear.low, linear.high) == pytest.approx((drawn.low, drawn.high), abs=0.1 * width)


def test_sums_alone_give_the_interval_of_the_bootstrap_for_means_too() -> None:
    rows = families(800, rate=0.4, seed=3)[:, ::-1]
    drawn, linear = estimate_ratio(rows), estimate_from_sums(sums_of(rows))
    assert (linear.low, linear.high) == pytest.approx((drawn.low, drawn.high), abs=0.1 * (drawn.high - drawn.low))


@pytest.mark.parametrize("hits", [0, 1, 7, 20])
def test_families_of_one_case_each_get_wilsons_interval(hits: int) -> None:
    found = estimate_ratio(np.array([[float(one < hits), 1.0] for one in range(20)]))
    exact = stats.binomtest(hits, 20).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_faces_of_one_family_are_no_independent_cases() -> None:
    whole = np.array([[20.0, 20.0]] * 30 + [[0.0, 20.0]] * 30)
    mixed = np.array([[10.0, 20.0]] * 30 + [[9.0, 20.0]] * 30)
    assert estimate_ratio(whole).high - estimate_ratio(whole).low > 0.2
    assert estimate_ratio(mixed).high - estimate_ratio(mixed).low < 0.02


def test_where_nobody_was_hit_each_family_counts_as_one_case() -> None:
    found = estimate_ratio(np.array([[0.0, 500.0]] * 12))
    assert (found.low, found.high) == pytest.approx((0, stats.binomtest(0, 12).proportion_ci(method="wilson").high))


def test_nothing_and_one_family_claim_nothing_of_others() -> None:
    assert estimate_ratio([]).value is None
    assert (estimate_ratio([]).low, estimate_ratio([]).high) == (0, 1)
    one = estimate_ratio(np.array([[30.0, 10.0]]))
    assert (one.value, one.low, one.high) == (3, -inf, inf)
    assert one.to_dict()["high"] is None


@pytest.mark.parametrize("wrong", [[[-1.0, 2.0]], [[np.nan, 2.0]], [[1.0, np.inf]]])
def test_counts_that_can_not_be_are_refused(wrong: list[list[float]]) -> None:
    with pytest.raises(InvalidValueError, match="finite and not negative"):
        estimate_ratio(np.array(wrong))


@pytest.mark.parametrize(("number", "rate"), [(8, 0.3), (30, 0.3), (120, 0.9)])
def test_intervals_hold_the_true_rate_about_as_often_as_they_say(number: int, rate: float) -> None:
    trials = [estimate_ratio(families(number, rate=rate, seed=seed), draws=400) for seed in range(200)]
    held = sum(one.low <= rate <= one.high for one in trials)
    assert held >= 180, f"95% intervals of {number} families held the rate in {held} of 200"


def test_every_metric_tells_what_it_counts_and_when_it_misleads() -> None:
    assert [key for key, metric in METRICS.items() if key != metric.key or not metric.fails or not metric.unit] == []
