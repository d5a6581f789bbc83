"""How samples are drawn: known probabilities, the same whatever the order, enough of every stratum."""

from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.annotation import Design, FamilyFaces, Item, Kind
from eval.annotation.design import FLOOR, Stratum, allocate, priorities
from eval.annotation.population import PAIRED_FACES, REFERENCES, SHOWN_OF_CLUSTER, pick_spread
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from tests.unit.eval.annotated import draw, simulate

FAMILIES, _ = simulate(40, seed=3)
BANDS = ("band",)


def design(kind: Kind, size: int = 60, seed: int = 7, strata: tuple[str, ...] = BANDS, arms: int = 1) -> Design:
    return Design("sample", kind, size, seed, ("default", "other")[:arms], strata)


def reversed_rows(family: FamilyFaces) -> FamilyFaces:
    places = {arm: dict(reversed(held.items())) for arm, held in family.places.items()}
    return replace(family, faces=family.faces[::-1], places=places)


@pytest.mark.parametrize("kind", Kind)
def test_the_same_seed_draws_the_same_sample_whatever_the_order_of_rows(kind: Kind) -> None:
    once = draw(FAMILIES, design(kind, strata=("band", "age", "disagreement"), arms=2, size=400))
    again = draw([reversed_rows(family) for family in reversed(FAMILIES)], design(
        kind, strata=("band", "age", "disagreement"), arms=2, size=400
    ))  # fmt: skip
    assert again.items == once.items
    assert [(one.stratum, one.drawn) for one in again.strata] == [(one.stratum, one.drawn) for one in once.strata]
    assert draw(FAMILIES, design(kind, 90, seed=8)).items != draw(FAMILIES, design(kind, 90)).items


@pytest.mark.parametrize("kind", Kind)
def test_inclusion_probabilities_add_up_to_the_population(kind: Kind) -> None:
    sample = draw(FAMILIES, design(kind, strata=("band", "gender"), size=200))
    weight = Counter[str]()
    for item in sample.items:
        weight[item.stratum] += 1 / item.probability  # type: ignore[assignment] - a counter of floats
    for stratum in sample.strata:
        assert weight[stratum.stratum] == pytest.approx(stratum.population)
    assert sum(stratum.drawn for stratum in sample.strata) == len(sample.items) <= 200


@pytest.mark.parametrize("kind", Kind)
def test_a_sample_as_large_as_the_population_is_all_of_it(kind: Kind) -> None:
    sample = draw(FAMILIES[:3], design(kind, size=100_000))
    assert {item.probability for item in sample.items} == {1.0}
    assert len({item.item_id for item in sample.items}) == len(sample.items)


def test_every_item_of_a_stratum_is_as_likely_as_any_other() -> None:
    times: Counter[object] = Counter()
    everything = draw(FAMILIES[:4], design(Kind.FACES, size=10_000, strata=()))
    draws, size = 600, 20
    for seed in range(draws):
        times.update(item.item_id for item in draw(FAMILIES[:4], design(Kind.FACES, size, seed, strata=())).items)
    counts = np.array([times[item.item_id] for item in everything.items])
    expected = draws * size / len(counts)
    spread = ((counts - expected) ** 2).sum() / (expected * (1 - size / len(counts)))  # chi squared
    assert spread < len(counts) + 4 * (2 * len(counts)) ** 0.5


def test_what_is_shown_is_the_person_and_not_more_than_annotators_can_look_at() -> None:
    for family in FAMILIES:
        for item in draw([family], design(Kind.FACES, 50)).items:
            assert {family.places["default"][face].person_id for face in item.faces} == {item.person_id}
            assert len(item.faces) == len(set(item.faces)) <= REFERENCES + 1
    for item in draw(FAMILIES, design(Kind.CLUSTERS)).items:
        assert len(item.faces) == min(item.size, SHOWN_OF_CLUSTER)


def test_half_of_the_pairs_are_of_what_is_held_together() -> None:
    items = draw(FAMILIES, design(Kind.PAIRS, 100)).items
    assert sum(bool(item.together) for item in items) == 50
    photos = {face.face_id: face.photo_id for family in FAMILIES for face in family.faces}
    assert all(photos[item.faces[0]] != photos[item.faces[1]] for item in items)


def test_of_a_large_family_a_random_part_stands_for_all_pairs() -> None:
    (family,) = simulate(1, seed=5)[0]
    many = PAIRED_FACES + 100
    copies = [
        replace(face, face_id=_id(number), photo_id=_id(number)) for number in range(many) for face in family.faces[:1]
    ]
    large = replace(family, faces=copies, embeddings={face.face_id: np.ones(8, np.float32) for face in copies})
    sample = draw([large], design(Kind.PAIRS, 50, strata=()))
    assert sum(one.population for one in sample.strata) == pytest.approx(many * (many - 1) / 2)
    assert [item.probability for item in sample.items] == pytest.approx([50 / (many * (many - 1) / 2)] * 50)


def _id(number: int) -> Any:  # noqa: ANN401 - the id of whatever is counted
    return UUID(int=number + 1)


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=8),
    st.integers(1, 500),
    st.randoms(use_true_random=False),
)
def test_every_stratum_gets_its_floor_and_none_more_than_it_has(counts: list[int], size: int, random: object) -> None:
    strata = {Stratum(True, others=(str(number),)): count for number, count in enumerate(counts)}
    weights = {one: random.random() + 0.01 for one in strata}  # type: ignore[attr-defined]
    floors = sum(min(FLOOR, count) for count in counts)
    if size < floors:
        with pytest.raises(InvalidValueError, match="draw more"):
            allocate(strata, weights, size)
        return
    taken = allocate(strata, weights, size)
    assert sum(taken.values()) == min(size, sum(counts))
    assert all(min(FLOOR, count) <= taken[one] <= count for one, count in strata.items())


def test_allocation_is_proportional_to_size_and_deviation() -> None:
    easy, hard = Stratum(True, "far-above"), Stratum(True, "far-below")
    taken = allocate({easy: 1000, hard: 1000}, {easy: 1000 * easy.deviation, hard: 1000 * hard.deviation}, 220)
    assert (taken[hard] - FLOOR) / (taken[easy] - FLOOR) == pytest.approx(hard.deviation / easy.deviation, rel=0.03)


def test_priorities_are_uniform() -> None:
    found = priorities(1, np.arange(100_000, dtype=np.uint64)).astype(np.float64) / 2**64
    assert np.abs(np.histogram(found, bins=20)[0] - 5000).max() < 5 * 5000**0.5


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"size": 0}, "1 or more items"),
        ({"seed": -1}, "a seed of 0 or more"),
        ({"strata": ("luck",)}, "some of band"),
        ({"arms": ("a", "a")}, "two different"),
        ({"arms": ()}, "one arm or two"),
    ],
)
def test_a_design_that_makes_no_sense_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidValueError, match=told):
        replace(design(Kind.FACES), **changes)
    assert replace(design(Kind.FACES), month=Month(2026, 10)).allocation == "neyman"


@given(st.lists(st.integers(), unique=True, max_size=40), st.integers(2, 12))
def test_a_spread_holds_both_ends_in_order(ordered: list[int], count: int) -> None:
    chosen = pick_spread(ordered, count)
    assert len(set(chosen)) == len(chosen) == min(count, len(ordered))
    assert list(chosen) == [one for one in ordered if one in chosen]
    assert not ordered or (chosen[0], chosen[-1]) == (ordered[0], ordered[-1])


def test_items_hold_their_stratum() -> None:
    items: list[Item] = draw(FAMILIES, design(Kind.PAIRS, 200, strata=("band", "age"))).items  # type: ignore[assignment] - a tuple
    assert {item.stratum.split()[0] for item in items} == {"together", "apart"}
    assert all("similarity:" in item.stratum and "age:" in item.stratum for item in items)
