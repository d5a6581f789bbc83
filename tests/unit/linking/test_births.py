"""Registered birth dates that the faces contradict."""

from datetime import date, timedelta

import pytest

from facealbum.domain.people import Child
from facealbum.linking import BirthDoubt, LinkParameters, PersonEvidence, doubt_birth_dates, plan_links
from tests.unit.linking.people import (
    MAI,
    MAI_BORN,
    REN,
    REN_BORN,
    child,
    child_id,
    faces_of,
    person,
    person_id,
)

SHARP = LinkParameters(error_spread=(0.5, 1.2, 1.5, 2.0, 4.0, 8.0))
YEARS = [face for year in range(2016, 2024) for face in faces_of(MAI_BORN, start=date(year, 4, 1), count=3)]


def doubts(persons: list[PersonEvidence], children: list[Child]) -> tuple[BirthDoubt, ...]:
    return doubt_birth_dates(persons, children, plan_links(persons, children, SHARP), SHARP)


def later(years: float) -> date:
    return MAI_BORN + timedelta(days=round(years * 365.25))


@pytest.mark.parametrize("years", [-5.0, 3.0, 4.0])
def test_a_linked_child_that_looks_years_older_or_younger_in_all_its_photos_is_doubted(years: float) -> None:
    mine = person(1, YEARS, linked=1, confirmed=True)
    (doubt,) = doubts([mine], [child(1, later(years))])
    assert (doubt.child_id, doubt.persons, doubt.faces, doubt.linked) == (child_id(1), (person_id(1),), 24, True)
    assert doubt.low <= years <= doubt.high
    assert doubt.years == pytest.approx(years, abs=1)


@pytest.mark.parametrize("years", [-1.0, 0.0, 0.5])
def test_looking_a_little_older_or_younger_is_no_doubt(years: float) -> None:
    assert not doubts([person(1, YEARS, linked=1)], [child(1, later(years))])


def test_the_faces_of_all_persons_of_a_child_are_one_child() -> None:
    persons = [person(1, YEARS[:12], linked=1), person(2, YEARS[12:], linked=1)]
    (doubt,) = doubts(persons, [child(1, later(4))])
    assert doubt.persons == (person_id(1), person_id(2))
    assert doubt.faces == 24


def test_a_child_in_no_photo_is_sought_among_the_persons_left_open() -> None:
    (doubt,) = doubts([person(1, YEARS)], [child(1, later(4))])
    assert (doubt.persons, doubt.linked) == ((person_id(1),), False)
    assert doubt.low <= 4 <= doubt.high


def test_a_grown_up_is_not_taken_for_a_child_with_a_wrong_date() -> None:
    assert not doubts([person(1, faces_of(date(1985, 5, 5)))], [MAI])


def test_who_may_be_one_of_two_children_raises_no_doubt_about_either() -> None:
    twins = [child(1, later(4)), child(2, later(4))]
    assert not doubts([person(1, YEARS)], twins)


def test_a_sibling_as_it_should_be_does_not_hide_a_wrong_date() -> None:
    ren = [face for year in range(2021, 2024) for face in faces_of(REN_BORN, start=date(year, 4, 1), count=3)]
    persons = [person(1, YEARS, meets=[2]), person(2, ren)]
    (doubt,) = doubts(persons, [child(1, later(-5)), REN])
    assert (doubt.child_id, doubt.persons) == (child_id(1), (person_id(1),))


def test_one_photo_with_a_wrong_date_is_no_wrong_birth_date() -> None:
    early = faces_of(MAI_BORN, start=MAI_BORN - timedelta(days=700), count=1)
    assert not doubts([person(1, [*YEARS, *early], linked=1, confirmed=True)], [MAI])


def test_a_child_whom_a_user_ruled_out_is_not_sought_there() -> None:
    assert not doubts([person(1, YEARS, rejected=[1])], [child(1, later(4))])


def test_without_children_persons_or_faces_there_is_nothing_to_doubt() -> None:
    assert doubts([person(1, YEARS)], []) == doubts([], [MAI]) == ()
    assert doubts([person(1, ())], [MAI]) == doubts([person(1, (), linked=1)], [MAI]) == ()
