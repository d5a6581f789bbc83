"""Searching for parameters: what is drawn, what it is worth, and that a seed gives the same trials again."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.months import TrialArm
from eval.tuning.families import HELD_OUT, SEARCHED, PastFamily, families_of, relive, split_families
from eval.tuning.objective import GUARDRAILS, HIGHER_IS_BETTER, MEASURES, Counts, compare, judge
from eval.tuning.space import GROUPS, SPACE, arm_with, draw_values, place_of_nothing
from eval.tuning.study import Effort, Objective, find_best, list_trials, measure, open_study, search
from facealbum.domain.ids import family_id
from tests.unit.eval.small_album import small_album

ARM = TrialArm()

rates = st.integers(0, 100)
measured = st.lists(rates, min_size=len(MEASURES), max_size=len(MEASURES)).map(
    lambda totals: np.array([[total, 100] for total in totals], float)
)


def changed(counts: Counts, measure: str, by: float) -> Counts:
    """The same but for one measure, which gets better by so many of its hundred cases."""
    found = counts.copy()
    place = MEASURES.index(measure)
    found[place, 0] = np.clip(found[place, 0] + (by if measure in HIGHER_IS_BETTER else -by), 0, 100)
    return found


@given(measured, measured, st.sampled_from(MEASURES), rates)
def test_an_arm_that_measures_better_is_never_judged_worse(counts: Counts, base: Counts, name: str, by: int) -> None:
    assert judge(changed(counts, name, by), base).loss <= judge(counts, base).loss


@given(measured, measured, measured)
def test_an_arm_that_breaks_a_guardrail_is_judged_worse_than_any_that_breaks_none(
    one: Counts, other: Counts, base: Counts
) -> None:
    first, second = judge(one, base), judge(other, base)
    if first.broken and not second.broken:
        assert first.loss > second.loss


@given(measured)
def test_no_arm_breaks_a_guardrail_beside_itself(counts: Counts) -> None:
    judged = judge(counts, counts)
    assert not judged.broken
    assert 0 <= judged.loss <= 1


@pytest.mark.parametrize("name", sorted(GUARDRAILS))
def test_each_guardrail_holds_up_to_what_it_tolerates(name: str) -> None:
    base = np.array([[50.0, 100.0]] * len(MEASURES))
    at_most = changed(base, name, -100 * GUARDRAILS[name])
    assert name not in judge(at_most, base).broken
    assert name in judge(changed(at_most, name, -1), base).broken


def test_the_loss_is_the_mean_of_what_breaks_and_what_is_linked_to_nobody() -> None:
    counts = np.zeros((len(MEASURES), 2))
    for name, total in (("breakage", 10), ("association", 60), ("coverage", 90)):
        counts[MEASURES.index(name)] = total, 100
    assert judge(counts, counts).loss == pytest.approx((0.1 + 0.4) / 2)


def test_a_difference_is_that_of_the_sums_with_its_interval_around_it() -> None:
    draw = np.random.default_rng(2)
    base = np.stack([draw.integers(0, 50, (40, len(MEASURES))), np.full((40, len(MEASURES)), 50)], axis=-1)
    found = base - np.array([[[3, 0]]]) * (base[..., :1] > 3)
    loss, *others = compare(found.astype(float), base.astype(float))
    assert [one.measure for one in others] == list(MEASURES)
    for one in others:
        place = MEASURES.index(one.measure)
        assert one.value == pytest.approx((found - base)[:, place, 0].sum() / 2000)
        assert one.low <= one.value <= one.high < 0
    plain = (judge(found.sum(axis=0), found.sum(axis=0)).loss, judge(base.sum(axis=0), base.sum(axis=0)).loss)
    assert (loss.found, loss.base) == pytest.approx(plain)


def test_one_family_tells_nothing_of_how_sure_a_difference_is() -> None:
    counts = np.ones((1, len(MEASURES), 2))
    assert compare(counts, counts)[0].to_dict()["low"] is None


@dataclass
class Fixed:
    """Draws the same place of every range; answers yes to what is named."""

    place: float
    yes: frozenset[str]

    def suggest_float(self, _name: str, low: float, high: float) -> float:
        return low + self.place * (high - low)

    def suggest_int(self, _name: str, low: int, high: int) -> int:
        return round(low + self.place * (high - low))

    def suggest_categorical(self, name: str, _choices: tuple[bool, bool]) -> bool:
        return name in self.yes


@given(st.floats(0, 1), st.sets(st.sampled_from(GROUPS)))
def test_every_point_of_the_space_is_an_arm_that_differs_in_the_changed_groups_only(
    place: float, groups: set[str]
) -> None:
    values = draw_values(Fixed(place, frozenset(f"change {group}" for group in groups)))
    arm = arm_with(ARM, values)
    assert set(values) == {one.name for one in SPACE if one.group in groups}
    told = {**arm.clustering.to_dict(), **{f"linking.{key}": value for key, value in arm.linking.to_dict().items()}}
    base = {**ARM.clustering.to_dict(), **{f"linking.{key}": value for key, value in ARM.linking.to_dict().items()}}
    assert {name: told[name] for name in values} == values
    assert {name for name in told if told[name] != base[name]} <= set(values)


def test_the_arm_itself_lies_within_the_bounds_of_every_parameter() -> None:
    told = {**ARM.clustering.to_dict(), **{f"linking.{key}": value for key, value in ARM.linking.to_dict().items()}}
    assert all(one.low <= told[one.name] <= one.high for one in SPACE)
    assert not any(place_of_nothing().values())


@given(st.sets(st.integers(0, 10_000), min_size=1, max_size=60), st.integers(0, 10_000))
def test_a_family_is_on_one_side_whoever_else_there_is(numbers: set[int], newcomer: int) -> None:
    before = split_families([family_id(str(one)) for one in numbers], salt="s", held_out=0.3)
    after = split_families([family_id(str(one)) for one in sorted({*numbers, newcomer})], salt="s", held_out=0.3)
    assert not set(before[SEARCHED]) & set(before[HELD_OUT])
    for side in (SEARCHED, HELD_OUT):
        assert [one for one in after[side] if one != family_id(str(newcomer)) or newcomer in numbers] == before[side]


@pytest.fixture(scope="module")
def family() -> PastFamily:
    return families_of(small_album(months=2)[0])[0]


def test_a_family_lived_through_counts_what_its_albums_hold(family: PastFamily) -> None:
    household, counts = relive(family, ARM)
    by_name = dict(zip(MEASURES, counts.tolist(), strict=True))
    assert by_name["coverage"] == [24, 24]
    assert by_name["collisions"] == [0, 24]
    linked = sum(person in household.child_of for person in household.person_of.values())
    assert by_name["link_error"][1] == linked == by_name["association"][0] == 8
    assert by_name["link_error"][0] < 0.01 * linked  # ages are true in this album


def test_the_first_trial_is_the_arm_itself_so_that_the_best_is_never_worse(family: PastFamily) -> None:
    study = open_study("small")
    search(study, Objective([family] * 3, ARM), Effort(trials=6, seed=3))
    trials = list_trials(study)
    best = find_best(trials)
    assert trials[0].is_base
    assert not trials[0].values
    assert [one.number for one in trials] == list(range(6))
    assert best is not None
    assert best.loss == min(one.loss for one in trials if one.state == "complete" and not one.broken)


def test_a_search_that_is_stopped_and_resumed_makes_the_trials_of_one_that_is_not(family: PastFamily) -> None:
    objective, whole, parts = Objective([family] * 2, ARM), open_study("whole"), open_study("parts")
    search(whole, objective, Effort(trials=7, seed=5))
    for trials in (2, 3, 7):
        search(parts, objective, Effort(trials=trials, seed=5))
    assert list_trials(whole) == list_trials(parts)


def test_time_that_is_up_ends_a_search_after_the_trial_at_hand(family: PastFamily) -> None:
    study, asked = open_study("short"), iter([False, False, True])
    search(study, Objective([family], ARM), Effort(trials=9), out_of_time=lambda: next(asked))
    assert len(list_trials(study)) == 2


def test_trials_on_other_families_are_not_compared(family: PastFamily) -> None:
    study = open_study("moved")
    search(study, Objective([family], ARM), Effort(trials=1))
    search(study, Objective([family, family], ARM), Effort(trials=3))
    first, second, _ = trials = list_trials(study)
    assert first.is_base
    assert second.is_base
    assert first.data != second.data
    best = find_best(trials)
    assert best is not None
    assert best.data == second.data


def test_an_arm_differs_in_nothing_from_itself(family: PastFamily) -> None:
    told = measure([family] * 3, ARM, ARM)
    assert told["families"] == 3
    assert not told["broken"]
    assert {one["value"] for one in told["differences"]} == {0}
