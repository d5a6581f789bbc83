"""Assignment is sticky and fair, looking early is safe, and a verdict says no more than the families do."""

import json
from collections import Counter
from dataclasses import replace
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from eval.experiments import (
    HOLDOUT,
    Counts,
    Guardrail,
    Kind,
    Outcome,
    Plan,
    Split,
    Spread,
    Verdict,
    Wait,
    arms_mismatch,
    assign,
    compare,
    critical_values,
    families_needed,
    family_spread,
    judge,
    pairs_mismatch,
    smallest_effect,
)
from eval.metrics.estimates import wilson
from facealbum.errors import InvalidValueError

FAMILIES = [uuid5(NAMESPACE_URL, str(number)) for number in range(10_000)]
HALVES = (("now", 0.5), ("new", 0.5))
PLAN = Plan("breakage", higher_is_better=False, minimum_effect=0.02, months=4, families=400)

families = st.uuids()
shares = st.floats(0.05, 0.95)


def split(*, traffic: float = 1.0, holdout: float = 0.0, salt: str = "a") -> Split:
    return Split(salt, HALVES, holdout=holdout, traffic=traffic)


@given(families, shares, shares, st.floats(0, 0.5))
def test_more_traffic_moves_no_family(family: UUID, some: float, more: float, holdout: float) -> None:
    before = assign(family, split(traffic=min(some, more), holdout=holdout))
    after = assign(family, split(traffic=max(some, more), holdout=holdout))
    assert before in {None, after}


@given(families, shares)
def test_a_family_that_is_held_out_stays_so_at_any_traffic(family: UUID, traffic: float) -> None:
    held = assign(family, split(holdout=0.3)) == HOLDOUT
    assert (assign(family, split(traffic=traffic, holdout=0.3)) == HOLDOUT) == held


def test_families_are_spread_as_the_shares_say() -> None:
    three = Split("salt", (("now", 0.5), ("new", 0.3), ("newer", 0.2)), holdout=0.1)
    found = Counter(assign(family, three) for family in FAMILIES)
    assert arms_mismatch([found[HOLDOUT], 10_000 - found[HOLDOUT]], [0.1, 0.9]) > 0.01
    assert arms_mismatch([found["now"], found["new"], found["newer"]], [0.5, 0.3, 0.2]) > 0.01


def test_another_salt_splits_independently() -> None:
    both = Counter((assign(one, split(salt="a")), assign(one, split(salt="b"))) for one in FAMILIES)
    assert arms_mismatch(list(both.values()), [1, 1, 1, 1]) > 0.01


@pytest.mark.parametrize(
    ("given_shares", "holdout", "traffic"),
    [
        ((("a", 0.5), ("a", 0.5)), 0, 1),
        ((("a", 0.5), ("b", 0.6)), 0, 1),
        ((("a", 0.5), (HOLDOUT, 0.5)), 0, 1),
        (HALVES, 1, 1),
        (HALVES, 0, 0),
    ],
)
def test_a_split_that_cannot_be_is_refused(
    given_shares: tuple[tuple[str, float], ...], holdout: float, traffic: float
) -> None:
    with pytest.raises(InvalidValueError):
        Split("salt", given_shares, holdout=holdout, traffic=traffic)


def test_limits_are_those_that_were_published() -> None:
    """Lan and DeMets' limits of O'Brien and Fleming's kind for five looks, as the program ldbounds gives them."""
    assert critical_values(5, 0.05) == pytest.approx((4.8769, 3.3569, 2.6803, 2.2898, 2.0310), abs=3e-4)
    assert critical_values(1, 0.05) == pytest.approx((1.9600,), abs=1e-4)


@pytest.mark.parametrize(("looks", "alpha"), [(2, 0.05), (4, 0.01), (12, 0.1)])
def test_limits_fall_from_look_to_look_and_stay_above_that_of_a_single_one(looks: int, alpha: float) -> None:
    limits = critical_values(looks, alpha)
    assert sorted(limits, reverse=True) == list(limits)
    assert limits[-1] > critical_values(1, alpha)[0]


def test_a_52_to_48_split_of_20000_families_is_a_mismatch() -> None:
    assert arms_mismatch([10_400, 9_600], [0.5, 0.5]) < 0.001
    assert arms_mismatch([10_100, 9_900], [0.5, 0.5]) > 0.05
    assert arms_mismatch([3, 1], [0.5, 0.5]) == pytest.approx(0.625)
    assert arms_mismatch([0, 0], [0.5, 0.5]) == 1


def test_families_that_only_one_of_two_paired_arms_could_do_are_a_mismatch() -> None:
    assert pairs_mismatch(0, 12) < 0.001
    assert pairs_mismatch(6, 6) == 1
    assert pairs_mismatch(0, 0) == 1


def draw(rng: np.random.Generator, families: int, *, rate: float = 0.1, months: int = 4) -> NDArray[np.int64]:
    """Totals and cases, int64[2, months, families], of families that differ from each other for good."""
    own = rng.beta(10 * rate, 10 * (1 - rate), families)
    cases = rng.poisson(8, (months, families))
    return np.stack([rng.binomial(cases, own), cases]).cumsum(axis=1)


def counts(drawn: NDArray[np.int64], months: int = 4) -> Counts:
    return Counts(drawn[0, months - 1].astype(float), drawn[1, months - 1].astype(float))


def test_the_interval_agrees_with_the_bootstrap_over_families() -> None:
    rng = np.random.default_rng(1)
    now, new = counts(draw(rng, 300)), counts(draw(rng, 200))
    effect = compare(now, new, paired=False)
    assert effect is not None
    drawn = []
    for _ in range(4000):
        ratios = []
        for one in (now, new):
            chosen = rng.integers(0, one.families, one.families)
            ratios.append(one.total[chosen].sum() / one.cases[chosen].sum())
        drawn.append(ratios[1] - ratios[0])
    assert effect.error == pytest.approx(np.std(drawn), rel=0.06)
    assert effect.interval(1.96) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.003)


@pytest.mark.parametrize("paired", [True, False])
def test_arms_in_which_nothing_was_ever_seen_are_not_shown_to_be_the_same(*, paired: bool) -> None:
    nothing = Counts(np.zeros(30), np.full(30, 8.0))
    effect = compare(nothing, nothing, paired=paired)
    assert effect is not None
    low, high = effect.interval(1.96)
    assert (effect.value, low) == (0, -high)
    assert high == pytest.approx(wilson(0.0, 30)[1], abs=1e-4)


def test_pairs_see_a_difference_that_strangers_hide() -> None:
    rng = np.random.default_rng(2)
    now = counts(draw(rng, 400))
    new = Counts(np.maximum(0, now.total - rng.binomial(1, 0.3, 400)), now.cases)
    apart, together = compare(now, new, paired=False), compare(now, new, paired=True)
    assert apart is not None
    assert together is not None
    assert together.value == apart.value
    assert together.error < apart.error / 4


@pytest.mark.parametrize("kind", Kind)
def test_without_a_difference_looking_each_month_errs_as_seldom_as_promised(kind: Kind) -> None:
    plan, wrong, rng = replace(PLAN, kind=kind), 0, np.random.default_rng(3)
    for _ in range(400):
        families = int(rng.binomial(400, 0.5))
        now, new = draw(rng, families), draw(rng, 400 - families)
        plan = replace(plan, families=350)
        looks = (judge(counts(now, look), counts(new, look), plan, look) for look in range(1, 5))
        wrong += any(verdict.outcome in {Outcome.BETTER, Outcome.WORSE} for verdict in looks)
    assert wrong / 400 < 0.05 + 2.6 * (0.05 * 0.95 / 400) ** 0.5


def test_looking_each_month_without_limits_would_err_far_more_often() -> None:
    """What the limits are for: the same experiments, judged each month as if it were the only look."""
    wrong, rng = 0, np.random.default_rng(3)
    for _ in range(400):
        months = rng.normal(size=12).cumsum() / np.sqrt(np.arange(1, 13))
        wrong += bool((abs(months) > critical_values(1, 0.05)[0]).any())
    assert wrong / 400 > 0.15


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("paired", [False, True])
def test_the_families_that_the_plan_asks_for_find_the_minimum_effect_as_often_as_it_says(
    kind: Kind, *, paired: bool
) -> None:
    effect = 0.005 if paired else 0.02
    rng, plan = np.random.default_rng(4), replace(PLAN, kind=kind, paired=paired, minimum_effect=effect)

    def arms(families: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        now = draw(rng, families, rate=0.12)
        if not paired:
            return now, draw(rng, families, rate=0.12 - effect)
        mended = rng.binomial(now[0], (0.02 + effect) / 0.12)
        broken = rng.binomial(now[1] - now[0], 0.02 / 0.88)
        return now, np.stack([now[0] - mended + broken, now[1]])

    now, new = map(counts, arms(4000))
    spread = family_spread(now, new, higher_is_better=False) if paired else family_spread(now)
    assert spread is not None
    needed = families_needed(spread, plan)
    assert smallest_effect(spread, needed, plan) == pytest.approx(effect, rel=0.02)
    each = needed if paired else needed // 2
    found = 0
    for _ in range(200):
        now_, new_ = arms(each)
        found += judge(counts(now_), counts(new_), plan).outcome is Outcome.BETTER
    assert found / 200 == pytest.approx(0.8, abs=0.1)


@given(st.floats(0.01, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0.005, 0.1), st.floats(1.05, 3))
def test_a_smaller_effect_or_more_variance_needs_more_families(
    still: float, changed: float, uneven: float, effect: float, times: float
) -> None:
    plan, spread = replace(PLAN, minimum_effect=effect), Spread(still, changed, uneven)
    needed = families_needed(spread, plan)
    assert families_needed(replace(spread, still=still * times), plan) >= needed
    assert families_needed(replace(spread, changed=changed * times), plan) >= needed
    assert families_needed(spread, replace(plan, minimum_effect=effect / times)) >= needed
    assert families_needed(spread, replace(plan, kind=Kind.SEQUENTIAL)) >= needed
    assert families_needed(spread, replace(plan, power=0.9)) >= needed


@given(st.floats(0.001, 1), st.floats(0, 1), st.floats(0, 10), st.floats(0.001, 0.1))
def test_the_smallest_effect_of_the_families_that_are_needed_is_the_minimum_effect(
    still: float, changed: float, uneven: float, effect: float
) -> None:
    plan, spread = replace(PLAN, minimum_effect=effect), Spread(still, changed, uneven)
    needed = families_needed(spread, plan)
    assert smallest_effect(spread, needed, plan) <= effect * (1 + 1e-9)
    assert needed == 2 or smallest_effect(spread, needed - 1, plan) >= effect * (1 - 1e-9)


def test_arms_that_never_differed_still_need_the_families_in_which_the_effect_can_show() -> None:
    now = counts(draw(np.random.default_rng(3), 500, rate=0.1))
    spread = family_spread(now, now, higher_is_better=False)
    assert spread is not None
    assert spread.still == 0
    assert families_needed(spread, replace(PLAN, paired=True, minimum_effect=0.001)) > 100


def steady(rate: float, families: int = 300) -> Counts:
    """Families that differ only a little from each other."""
    spread = np.random.default_rng(5).normal(scale=0.02, size=families)
    return Counts(100 * (rate + spread - spread.mean()), np.full(families, 100.0))


@pytest.mark.parametrize(
    ("treatment", "outcome"),
    [(0.07, Outcome.BETTER), (0.13, Outcome.WORSE), (0.10, Outcome.SAME)],
)
def test_the_verdict_follows_the_metrics_direction(treatment: float, outcome: Outcome) -> None:
    assert judge(steady(0.10), steady(treatment), PLAN).outcome is outcome
    turned = replace(PLAN, higher_is_better=True)
    opposite = {Outcome.BETTER: Outcome.WORSE, Outcome.WORSE: Outcome.BETTER}.get(outcome, outcome)
    assert judge(steady(0.10), steady(treatment), turned).outcome is opposite


def test_nothing_is_said_while_the_families_numbers_are_no_chance() -> None:
    verdict = judge(steady(0.10, 400), steady(0.07, 280), PLAN)
    assert verdict.outcome is Outcome.REFUSED
    assert (verdict.families, verdict.effect, verdict.p) == ((400, 280), None, None)
    assert verdict.mismatch < 0.001


def test_a_paired_arm_that_fails_for_some_families_is_refused() -> None:
    now, new = steady(0.10), steady(0.07)
    new.total[:12] = new.cases[:12] = np.nan
    assert judge(now, new, replace(PLAN, paired=True)).outcome is Outcome.REFUSED


def test_a_fixed_plan_shows_nothing_before_its_horizon() -> None:
    verdict = judge(steady(0.10), steady(0.02), PLAN, 3)
    assert (verdict.outcome, verdict.effect, verdict.low, verdict.p) == (Outcome.UNDECIDED, None, None, None)
    assert (verdict.waits, verdict.reason[:13]) == (Wait.MONTHS, "3 of 4 months")
    few = judge(steady(0.10, 150), steady(0.02, 150), PLAN, 9)
    assert (few.outcome, few.waits) == (Outcome.UNDECIDED, Wait.FAMILIES)
    assert "300 of 400 families" in few.reason
    assert judge(steady(0.10), steady(0.02), PLAN, 4).outcome is Outcome.BETTER


def test_a_sequential_plan_may_decide_early_and_tells_no_p_value() -> None:
    plan = replace(PLAN, kind=Kind.SEQUENTIAL)
    early, late = (judge(steady(0.10), steady(0.02), plan, look) for look in (1, 4))
    assert early.outcome is late.outcome is Outcome.BETTER
    assert early.p is late.p is None
    assert early.low is not None
    assert late.low is not None
    assert early.low < late.low
    assert judge(steady(0.10), steady(0.02), plan, 0).outcome is Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("coverage", "outcome"),
    [(0.90, Outcome.BETTER), (0.80, Outcome.WORSE), (0.86, Outcome.UNDECIDED)],
)
def test_a_gain_is_worth_nothing_unless_the_guardrail_is_shown_to_hold(coverage: float, outcome: Outcome) -> None:
    rail = Guardrail("coverage", higher_is_better=True, tolerated=0.04)
    plan = replace(PLAN, guardrails=(rail,))
    verdict = judge(steady(0.10), steady(0.07), plan, guardrails=[(steady(0.90), steady(coverage))])
    assert verdict.outcome is outcome
    assert verdict.guardrails[0].passed is {0.90: True, 0.80: False, 0.86: None}[coverage]


@pytest.mark.parametrize("look", [None, 4])
def test_too_few_families_with_cases_decide_nothing_and_that_is_said(look: int | None) -> None:
    plan = replace(PLAN, families=30)
    few = Counts(np.zeros(40), np.r_[np.full(15, 8.0), np.zeros(25)])
    verdict = judge(few, steady(0.02, 40), plan, look)
    assert (verdict.outcome, verdict.waits, verdict.with_cases) == (Outcome.UNDECIDED, Wait.CASES, (15, 40))
    assert "early" not in verdict.reason
    assert Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict


def test_a_verdict_of_an_earlier_release_is_read() -> None:
    told = judge(steady(0.10), steady(0.02), PLAN).to_dict()
    assert Verdict.from_dict({key: one for key, one in told.items() if key not in {"waits", "with_cases"}}).effect


def test_an_undecided_verdict_tells_how_many_families_are_still_needed() -> None:
    rng = np.random.default_rng(6)
    now, new = counts(draw(rng, 60)), counts(draw(rng, 60))
    plan = replace(PLAN, minimum_effect=0.01)
    verdict = judge(now, new, plan)
    assert verdict.outcome is Outcome.UNDECIDED
    pooled = Counts(np.concatenate([now.total, new.total]), np.concatenate([now.cases, new.cases]))
    spread = family_spread(pooled)
    assert spread is not None
    assert verdict.more_families == pytest.approx(families_needed(spread, plan) - 120, rel=0.1)


def test_a_plan_is_the_same_after_a_way_through_json() -> None:
    plan = replace(
        PLAN, kind=Kind.SEQUENTIAL, guardrails=(Guardrail("coverage", higher_is_better=True, tolerated=0.1),)
    )
    assert Plan.from_dict(plan.to_dict()) == plan


@pytest.mark.parametrize(
    "wrong",
    [{"minimum_effect": 0}, {"alpha": 0.6}, {"power": 0.4}, {"months": 0}, {"families": 1}, {"shares": (0.5, 0)}],
)
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidValueError):
        replace(PLAN, **wrong)  # type: ignore[arg-type]
