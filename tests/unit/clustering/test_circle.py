"""The family circle holds those who are beside the children again and again, and nobody who was there once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.clustering.circle import CircleParameters, find_circle
from facealbum.domain.ids import PersonId
from facealbum.errors import InvalidValueError
from tests.unit.clustering.family import person_id

MOTHER, FATHER, NEIGHBOUR = person_id(1), person_id(2), person_id(3)


def guests(*weeks: int) -> dict[PersonId, int]:
    return {person_id(100 + number): seen for number, seen in enumerate(weeks)}


def test_parents_belong_to_the_family_and_guests_of_a_party_do_not() -> None:
    beside = {MOTHER: 30, FATHER: 9} | guests(*[1] * 40)
    assert find_circle(beside, 60) == {MOTHER, FATHER}


def test_parents_alone_with_their_children_belong_to_the_family() -> None:
    assert find_circle({MOTHER: 30, FATHER: 25}, 60) == {MOTHER, FATHER}


def test_a_few_weeks_say_nothing() -> None:
    assert find_circle({MOTHER: 3}, 3) == frozenset()
    assert find_circle({MOTHER: 12}, 12) == {MOTHER}


def test_whoever_is_seen_in_a_tiny_share_of_many_years_is_no_family() -> None:
    assert find_circle({MOTHER: 300, NEIGHBOUR: 10}, 800) == {MOTHER}


def test_where_guests_come_more_often_more_is_asked() -> None:
    assert NEIGHBOUR in find_circle({MOTHER: 30, NEIGHBOUR: 8} | guests(*[1] * 40), 60)
    assert NEIGHBOUR not in find_circle({MOTHER: 30, NEIGHBOUR: 8} | guests(*[5] * 40), 60)


def test_one_regular_guest_keeps_no_parent_out() -> None:
    assert find_circle({MOTHER: 12, FATHER: 12, NEIGHBOUR: 5}, 60) == {MOTHER, FATHER}


def test_strangers_hardly_ever_get_in() -> None:
    weeks = 1 + np.random.default_rng(1).poisson(0.5, size=(200, 40))
    found = [find_circle({MOTHER: 20} | guests(*some), 60) - {MOTHER} for some in weeks.tolist()]
    assert sum(map(len, found)) <= 0.001 * weeks.size


def test_nobody_has_no_circle() -> None:
    assert find_circle({}, 0) == frozenset()


@given(st.dictionaries(st.integers(0, 20).map(person_id), st.integers(0, 50), max_size=12), st.integers(0, 20))
def test_being_seen_more_often_never_costs_anybody_the_place(beside: dict[PersonId, int], more: int) -> None:
    for person in find_circle(beside, 60):
        assert person in find_circle(beside | {person: min(60, beside[person] + more)}, 60)


@pytest.mark.parametrize("wrong", [{"share": 1.5}, {"lift": -1}, {"prior": 0}])
def test_parameters_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidValueError, match=next(iter(wrong))):
        CircleParameters(**wrong)
