"""The joint probabilities of who is which child, held to the slow way: every labelling written out."""

from itertools import combinations
from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facealbum.domain.ids import ChildId, PersonId
from facealbum.linking import labelling
from facealbum.linking.labelling import Odds, Shares, marginals
from tests.unit.linking.oracle import write_out
from tests.unit.linking.people import child_id, person_id

Family = tuple[dict[PersonId, dict[ChildId, float]], dict[PersonId, set[PersonId]]]
thorough = settings(max_examples=100, deadline=None)


@st.composite
def families(draw: st.DrawFn, most: int = 5) -> Family:
    persons = [person_id(number) for number in range(draw(st.integers(0, most)))]
    of_children = st.dictionaries(st.integers(0, 2).map(child_id), st.floats(-10, 10), max_size=3)
    odds = {person: draw(of_children) for person in persons}
    meets: dict[PersonId, set[PersonId]] = {person: set() for person in persons}
    for one, other in combinations(persons, 2):
        if draw(st.booleans()):
            meets[one].add(other)
            meets[other].add(one)
    return odds, meets


def flat(found: dict[PersonId, Shares]) -> dict[tuple[PersonId, ChildId | None], float]:
    return {(person, child): value for person, of in found.items() for child, value in of.items()}


@given(family=families())
@thorough
def test_the_probabilities_are_those_of_all_labellings_written_out(family: Family) -> None:
    odds, meets = family
    assert flat(marginals(odds, meets)) == pytest.approx(write_out(odds, meets), abs=1e-9)


@given(family=families(), order=st.permutations(range(5)))
@thorough
def test_the_order_does_not_matter_bit_for_bit(family: Family, order: list[int]) -> None:
    odds, meets = family
    persons = [person_id(number) for number in order if person_id(number) in odds]
    turned: dict[PersonId, Odds] = {person: dict(reversed(odds[person].items())) for person in persons}
    assert marginals(turned, meets) == marginals(odds, meets)


@given(family=families(most=8), largest=st.sampled_from([1, 4, 16]))
@thorough
def test_persons_who_meet_never_both_have_more_than_half_of_one_child_however_many_they_are(
    family: Family, largest: int
) -> None:
    odds, meets = family
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labelling, "_LARGEST", largest)
        found = marginals(odds, meets)
    assert found.keys() == odds.keys()
    for person, of in found.items():
        assert fsum(of.values()) == pytest.approx(1)
        for other in meets[person]:
            assert not any(
                of[child] > 1 / 2 and found[other].get(child, 0) > 1 / 2 for child in odds[person].keys() & of
            )


@given(family=families(), own=st.dictionaries(st.integers(0, 2).map(child_id), st.floats(-10, 10), max_size=3))
@thorough
def test_a_person_who_meets_nobody_changes_nothing_for_the_others(family: Family, own: dict[ChildId, float]) -> None:
    odds, meets = family
    stranger = person_id(100)
    found = marginals(odds | {stranger: own}, meets | {stranger: set()})
    found.pop(stranger)
    assert found == marginals(odds, meets)
