"""Which photos are the best of some time."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from math import e, sqrt
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.clustering.highlights import Shot, plan_highlights
from facealbum.domain.ids import PhotoId

START = datetime(2026, 10, 1, tzinfo=UTC)
HANA, RIKU, MAMA = (UUID(int=number) for number in range(3))


def shot(number: int, minutes: float, worth: float = 0.8, company: Sequence[UUID] = (HANA,)) -> Shot:
    return Shot(PhotoId(UUID(int=number)), START + timedelta(minutes=minutes), worth, frozenset(company))


def numbers(chosen: Sequence[Shot]) -> list[int]:
    return [one.photo_id.int for one in chosen]


@st.composite
def some_shots(draw: st.DrawFn, most: int = 12) -> list[Shot]:
    """Shots of a few days, with bursts."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(0, 3),
                st.integers(0, 40),
                st.integers(0, 20),
                st.sampled_from([(HANA,), (RIKU,), (MAMA,), (HANA, MAMA)]),
            ),
            max_size=most,
        )
    )
    return [
        shot(number, 1440 * day + minute, worth / 20, company)
        for number, (day, minute, worth, company) in enumerate(drawn, 1)
    ]


def value(chosen: Sequence[Shot], among: Sequence[Shot]) -> float:
    """What a choice is worth, told again: moments by walking from shot to shot."""
    moment, number, last = {}, 0, None
    for one in sorted(among, key=lambda one: one.taken_at):
        number += last is not None and one.taken_at - last > timedelta(minutes=10)
        moment[one.photo_id], last = number, one.taken_at
    best: dict[int, float] = defaultdict(float)
    days: dict[object, float] = defaultdict(float)
    companies: dict[object, float] = defaultdict(float)
    for one in chosen:
        best[moment[one.photo_id]] = max(best[moment[one.photo_id]], one.worth)
        days[one.taken_at.date()] += one.worth
        companies[one.company] += one.worth
    return sum(best.values()) + sum(map(sqrt, days.values())) + sum(map(sqrt, companies.values()))


def test_of_a_burst_the_best_photo_is_taken_and_then_another_moment() -> None:
    burst = [shot(number, number, worth=0.5 + number / 100) for number in range(1, 6)]
    assert numbers(plan_highlights([*burst, shot(9, 300, worth=0.4)], 2)) == [5, 9]


def test_days_and_company_vary_before_a_day_or_company_comes_again() -> None:
    shots = [shot(1, 0), shot(2, 120), shot(3, 240), shot(4, 1500, worth=0.7), shot(5, 360, worth=0.7, company=[RIKU])]
    assert set(numbers(plan_highlights(shots, 3))) == {1, 4, 5}


def test_a_good_photo_comes_before_a_poor_one() -> None:
    assert numbers(plan_highlights([shot(1, 0, worth=0.2), shot(2, 1500, worth=0.9)], 1)) == [2]


@given(some_shots(), st.integers(0, 12))
def test_each_photo_is_the_one_that_adds_most(shots: list[Shot], count: int) -> None:
    chosen = plan_highlights(shots, count)
    assert len({one.photo_id for one in chosen}) == len(chosen) == min(count, len(shots))
    for size in range(len(chosen)):
        before = chosen[:size]
        best = max(value([*before, one], shots) for one in shots if one not in before)
        assert value(chosen[: size + 1], shots) == pytest.approx(best)


@given(some_shots(most=8), st.integers(1, 4))
def test_a_choice_is_worth_at_least_what_greed_guarantees_of_the_best_one(shots: list[Shot], count: int) -> None:
    best = max(value(some, shots) for some in combinations(shots, min(count, len(shots))))
    assert value(plan_highlights(shots, count), shots) >= (1 - 1 / e) * best - 1e-9


@given(some_shots(), st.randoms(use_true_random=False), st.integers(0, 12))
def test_the_order_of_photos_changes_nothing_and_a_smaller_choice_begins_a_larger_one(
    shots: list[Shot], draw: object, count: int
) -> None:
    mixed = list(shots)
    draw.shuffle(mixed)  # type: ignore[attr-defined]
    assert plan_highlights(mixed, count) == plan_highlights(shots, len(shots))[:count]
