"""Comparing a month with quiet months, with the month before, and with a training set.

The rate of false alarms is that of a whole month: half of it for each of the two comparisons with months.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from eval.drift.attribution import contributions, top_contributions
from eval.drift.counts import Counts, MonthCounts, add_up
from eval.drift.distance import js_distance
from eval.drift.distributions import DISTRIBUTIONS
from eval.drift.report import Change
from eval.drift.thresholds import FEWEST_MONTHS, thresholds

FALSE_ALARMS = 0.01
"""The chance that a quiet month raises an alarm."""
FEWEST_CASES, FEWEST_BUCKETS = 500, 20
"""Fewer faces or photos, or fewer buckets with any, are never judged."""
MOST_MONTHS = 12
SKEW = 0.3
"""The distance to a training set that is an alarm: the default threshold of Vertex AI's model monitoring."""


def is_judged(month: MonthCounts, distribution: str) -> bool:
    """Whether there is enough to judge."""
    enough = month.cases(distribution) >= FEWEST_CASES
    return enough and month.filled_buckets(distribution) >= FEWEST_BUCKETS


def compare_with_months(
    now: MonthCounts, before: Sequence[MonthCounts], quiet: Sequence[MonthCounts], *, rate: float = FALSE_ALARMS / 2
) -> tuple[Change, ...]:
    """Each distribution of `now` against the sum of the months `before`, judged by how the `quiet` ones differ."""
    shared = [key for key in DISTRIBUTIONS if all(one.cases(key) for one in (now, *before))]
    judged = [key for key in shared if all(is_judged(one, key) for one in (now, *before, *quiet))]
    limits: Mapping[str, float] = {}
    if judged and len(quiet) >= FEWEST_MONTHS:
        counts = {key: np.stack([one.by_bucket[key] for one in quiet]) for key in judged}
        cases = {key: min(one.cases(key) for one in (now, *before)) for key in judged}
        limits = thresholds(counts, cases, months_before=len(before), rate=rate)
    few = f"fewer than {FEWEST_CASES} cases, or families in fewer than {FEWEST_BUCKETS} of the buckets"
    return tuple(
        _change(
            key, now, before, limits.get(key), few if key not in judged else f"fewer than {FEWEST_MONTHS} quiet months"
        )
        for key in shared
    )


def compare_with_training(now: MonthCounts, training: Mapping[str, Counts]) -> tuple[Change, ...]:
    """Each distribution of `now` against int64[bins] of a training set, as far as it has them.

    They are different people in different pictures, so some distance is no alarm; a training set has no groups.
    """
    return tuple(
        Change(
            key,
            float(js_distance(total, training[key])),
            SKEW if is_judged(now, key) else None,
            tuple(map(int, total)),
            tuple(map(int, training[key])),
            unjudged="" if is_judged(now, key) else f"fewer than {FEWEST_CASES} cases",
        )
        for key in DISTRIBUTIONS
        if key in training and training[key].any() and now.cases(key)
        for total in [now.by_bucket[key].sum(axis=0)]
    )


def _change(
    key: str, now: MonthCounts, before: Sequence[MonthCounts], threshold: float | None, unjudged: str
) -> Change:
    total, groups = add_up([now], key)
    total_before, groups_before = add_up(before, key)
    distance = float(js_distance(total, total_before))
    drifted = threshold is not None and distance > threshold
    parts = contributions(groups_before, groups) if drifted else []
    return Change(
        key,
        distance,
        threshold,
        tuple(map(int, total)),
        tuple(map(int, total_before)),
        top_contributions(one for one in parts if not one.group.startswith(f"{key}:")),
        unjudged if threshold is None else "",
    )
