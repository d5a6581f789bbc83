"""A month whose photos are missing, or came twice, is told; one that is merely small or large is not."""

import numpy as np
import pytest

from eval.metrics.arrivals import Arrivals, find_arrival_alarms
from facealbum.domain.months import Month

JANUARY = Month(2026, 1)


def year(*families: int, pace: float = 40) -> list[Arrivals]:
    return [
        Arrivals(Month(2026, number + 1), count, count * pace * (0.8 + 0.1 * (number % 5)))
        for number, count in enumerate(families)
    ]


BEFORE = year(*[950, 1000, 980, 900, 1020, 990, 1000])
NOW = Month(2026, 8)


@pytest.mark.parametrize(
    ("families", "faces", "said"),
    [
        (0, 0, "only 0 families have faces of 2026-08, after 900 or more in each of the 7 months before"),
        (440, 440 * 40, "only 440 families"),
        (460, 460 * 40, None),
        (1000, 1000 * 40, None),
        (3000, 3000 * 40, None),
        (1000, 1000 * 80, "a family has 80 faces of 2026-08, after 32 to 48 in the 7 months before"),
        (1000, 1000 * 15, "a family has 15 faces"),
        (1000, 1000 * 60, None),
    ],
)
def test_a_month_is_held_against_the_least_and_the_most_before(families: int, faces: float, said: str | None) -> None:
    found = find_arrival_alarms(BEFORE, Arrivals(NOW, families, faces))
    assert [one.startswith(said or "") for one in found] == ([True] if said else [])


def test_without_enough_months_nothing_is_said() -> None:
    assert find_arrival_alarms(BEFORE[:5], Arrivals(NOW, 0, 0)) == []


def test_a_handful_of_families_may_all_be_without_a_photo() -> None:
    few = year(*[5] * 7)
    assert find_arrival_alarms(few, Arrivals(NOW, 0, 0)) == []
    assert find_arrival_alarms(few, Arrivals(NOW, 5, 5 * 200)) == []


def test_families_that_come_and_go_by_chance_raise_no_alarm() -> None:
    draw = np.random.default_rng(8)
    alarms = 0
    for _ in range(300):
        *before, now = draw.binomial(30, 0.8, 8).tolist()
        alarms += bool(find_arrival_alarms(year(*before), Arrivals(NOW, now, now * 40)))
    assert alarms <= 2
