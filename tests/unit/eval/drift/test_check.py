"""Quiet months raise no more alarms than the rate says, a change is found where it is, and too little is not judged."""

from dataclasses import replace

import numpy as np
import pytest

from eval.drift.check import SKEW, compare_with_months, compare_with_training
from eval.drift.counts import BUCKETS, MonthCounts, add_up
from eval.drift.distributions import DISTRIBUTIONS
from eval.drift.thresholds import LEAST, thresholds
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError

KEYS = ("age", "yaw", "quality")
MONTHS = tuple(Month(2026, 1).through(Month(2026, 12)))


def simulate(
    draw: np.random.Generator, months: int, *, apart: float = 0.7, seasons: float = 0.0, faces: int = 50
) -> list[MonthCounts]:
    """Months of BUCKETS families, each of which is `apart` from the mean and keeps to itself; of standard deviations.

    seasons: how far a month shifts everybody's faces.  Values are spread over each distribution's edges.
    """
    own = {key: draw.normal(size=BUCKETS) * apart for key in KEYS}
    found = []
    for month in MONTHS[:months]:
        by_bucket = {}
        for key in KEYS:
            edges = np.array(DISTRIBUTIONS[key].edges)
            shift = draw.normal() * seasons
            values = own[key][:, None] + shift + draw.normal(size=(BUCKETS, faces))
            scaled = edges.mean() + values * (edges[-1] - edges[0]) / 5
            by_bucket[key] = np.array([DISTRIBUTIONS[key].count(row) for row in scaled])
        found.append(MonthCounts(month, by_bucket, {}))
    return found


def false_alarms(*, seasons: float, trials: int, rate: float) -> tuple[int, int]:
    """In how many of the trials the last month raises an alarm beside those before, and beside the one before."""
    loud = [0, 0]
    for seed in range(trials):
        *before, now = simulate(np.random.default_rng(seed), 7, seasons=seasons)
        for number, reference in enumerate((before, before[-1:])):
            changes = compare_with_months(now, reference, before, rate=rate)
            assert all(one.threshold for one in changes)
            loud[number] += any(one.alarm for one in changes)
    return loud[0], loud[1]


@pytest.mark.parametrize("seasons", [0.0, 0.15])
def test_quiet_months_raise_no_more_alarms_than_the_rate_says(seasons: float) -> None:
    # Of 12 with 2.4 expected, 7 or more happen in 1 of 250 cases; the draws are always the same.
    assert max(false_alarms(seasons=seasons, trials=12, rate=0.2)) <= 6


def test_families_that_keep_to_themselves_raise_the_threshold() -> None:
    """As many faces tell less if each family's are alike: a bootstrap over faces would alarm without a reason."""
    limits = []
    for apart in (1.5, 0.0):
        others = [simulate(np.random.default_rng(seed), 1, apart=apart)[0].by_bucket["age"] for seed in range(6)]
        quiet = {"age": np.stack(others)}
        limits.append(thresholds(quiet, {"age": 3200}, months_before=1, rate=0.01)["age"])
    assert limits[0] > 1.5 * limits[1]


def test_a_shift_of_one_distribution_is_found_there_and_nowhere_else() -> None:
    *before, now = simulate(np.random.default_rng(1), 7)
    moved = np.roll(now.by_bucket["yaw"], 2, axis=1)
    changes = compare_with_months(replace(now, by_bucket={**now.by_bucket, "yaw": moved}), before, before)
    assert [one.distribution for one in changes if one.alarm] == ["yaw"]


def test_a_smaller_month_has_a_higher_threshold() -> None:
    quiet = {"age": np.stack([one.by_bucket["age"] for one in simulate(np.random.default_rng(1), 6)])}
    full, tenth = (thresholds(quiet, {"age": 3200 // part}, months_before=6, rate=0.01)["age"] for part in (1, 10))
    assert tenth > 1.5 * full


def test_the_more_faces_the_lower_the_threshold_but_never_below_what_is_worth_an_alarm() -> None:
    limits = []
    for faces in (30, 300, 20_000):
        months = simulate(np.random.default_rng(2), 4, apart=0.1, faces=faces)
        quiet = {"age": np.stack([one.by_bucket["age"] for one in months])}
        limits.append(thresholds(quiet, {"age": faces * BUCKETS}, months_before=1, rate=0.01)["age"])
    assert limits[0] > limits[1] > limits[2] == LEAST


def test_the_same_counts_give_the_same_thresholds() -> None:
    quiet = {"age": np.stack([one.by_bucket["age"] for one in simulate(np.random.default_rng(1), 3)])}
    again = [thresholds(quiet, {"age": 3000}, months_before=3, rate=0.01) for _ in range(2)]
    assert again[0] == again[1]


def test_two_months_tell_no_threshold() -> None:
    quiet = {"age": np.stack([one.by_bucket["age"] for one in simulate(np.random.default_rng(1), 2)])}
    with pytest.raises(InvalidValueError, match="at least 3 quiet months, got 2"):
        thresholds(quiet, {"age": 3000}, months_before=2, rate=0.01)
    *before, now = simulate(np.random.default_rng(1), 3)
    changes = compare_with_months(now, before, before)
    assert {one.unjudged for one in changes} == {"fewer than 3 quiet months"}
    assert not any(one.alarm for one in changes)


def test_few_faces_or_few_families_are_never_judged() -> None:
    *before, now = simulate(np.random.default_rng(1), 4)
    few = {
        key: (counts > 0).astype(np.int64) // np.arange(1, BUCKETS + 1)[:, None]
        for key, counts in now.by_bucket.items()
    }
    one_bucket = {key: counts * (np.arange(BUCKETS) == 0)[:, None] * 99 for key, counts in now.by_bucket.items()}
    for by_bucket in (few, one_bucket):
        changes = compare_with_months(replace(now, by_bucket=by_bucket), before, before)
        assert [one.threshold for one in changes] == [None] * len(KEYS)
        assert not any(one.alarm for one in changes)


def test_a_training_set_is_an_alarm_from_a_fixed_distance_on() -> None:
    (now,) = simulate(np.random.default_rng(1), 1)
    total, _ = add_up([now], "age")
    same, other = (compare_with_training(now, {"age": one})[0] for one in (total, np.roll(total, 7)))
    assert (same.distance, same.threshold, same.alarm) == (pytest.approx(0, abs=1e-7), SKEW, False)
    assert other.alarm
