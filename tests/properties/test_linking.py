"""What must hold of every link plan, whatever the family."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from facealbum.domain.people import Child, Gender
from facealbum.linking import FaceEvidence, LinkParameters, LinkPlan, PersonEvidence, doubt_birth_dates, plan_links
from tests.unit.linking.people import child, child_id, person_id

PARAMETERS = LinkParameters(threshold=0.6, min_faces=1)
MOST = 6

faces = st.builds(
    FaceEvidence,
    taken_at=st.datetimes(datetime(2014, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    age=st.none() | st.floats(0, 60),
    p_female=st.none() | st.floats(0, 1),
    quality=st.floats(0, 1),
    told_age=st.booleans(),
    told_female=st.booleans(),
)
children = st.lists(st.tuples(st.dates(date(2013, 1, 1), date(2024, 1, 1)), st.sampled_from(Gender)), max_size=3).map(
    lambda rows: [child(number, *row) for number, row in enumerate(rows)]
)
thorough = settings(max_examples=60, deadline=None)


@st.composite
def families(draw: st.DrawFn) -> list[PersonEvidence]:
    ids = st.frozensets(st.integers(0, MOST - 1).map(person_id), max_size=3)
    registered = st.integers(0, 2).map(child_id)
    return [
        PersonEvidence(
            person_id(number),
            tuple(draw(st.lists(faces, max_size=5))),
            meets=draw(ids) - {person_id(number)},
            linked=draw(st.none() | registered),
            rejected_children=draw(st.frozensets(registered, max_size=1)),
            confirmed=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, MOST)))
    ]


@given(persons=families(), registered=children, order=st.permutations(range(MOST)))
@thorough
def test_the_order_of_persons_faces_and_children_does_not_matter(
    persons: list[PersonEvidence], registered: list[Child], order: list[int]
) -> None:
    shuffled = [replace(one, faces=one.faces[::-1]) for number in order for one in persons[number : number + 1]]
    plan = plan_links(persons, registered, PARAMETERS)
    assert plan_links(shuffled, registered[::-1], PARAMETERS) == plan


@given(persons=families(), registered=children)
@thorough
def test_every_person_is_in_the_plan_once(persons: list[PersonEvidence], registered: list[Child]) -> None:
    plan = plan_links(persons, registered, PARAMETERS)
    named = [*(one.person_id for one in plan.links), *(one.person_id for one in plan.open)]
    assert sorted(named) == [one.person_id for one in persons]


@given(persons=families(), registered=children)
@thorough
def test_persons_who_meet_are_never_one_child(persons: list[PersonEvidence], registered: list[Child]) -> None:
    said = {one.person_id: one for one in persons}
    linked = {one.person_id: one.child_id for one in plan_links(persons, registered, PARAMETERS).links}
    for one in persons:
        for other in one.meets & linked.keys():
            users_said_so = one.confirmed and said[other].confirmed
            assert users_said_so or linked.get(one.person_id) != linked[other]


@given(persons=families(), registered=children)
@thorough
def test_what_a_user_said_always_wins(persons: list[PersonEvidence], registered: list[Child]) -> None:
    linked = {one.person_id: one.child_id for one in plan_links(persons, registered, PARAMETERS).links}
    known = {one.child_id for one in registered}
    for one in persons:
        if one.confirmed and one.linked in known - one.rejected_children:
            assert linked[one.person_id] == one.linked
        assert linked.get(one.person_id) not in one.rejected_children


@given(persons=families(), registered=children)
@thorough
def test_an_earlier_link_ends_only_for_a_user_or_for_somebody_whom_the_person_meets(
    persons: list[PersonEvidence], registered: list[Child]
) -> None:
    said = {one.person_id: one for one in persons}
    met = {one.person_id: {p for p in said if p in one.meets or one.person_id in said[p].meets} for one in persons}
    linked = {one.person_id: one.child_id for one in plan_links(persons, registered, PARAMETERS).links}
    known = {one.child_id for one in registered}
    for one in persons:
        if one.linked in known - one.rejected_children and linked.get(one.person_id) != one.linked:
            assert any(said[other].linked == linked.get(other) == one.linked for other in met[one.person_id])


@given(persons=families(), registered=children, stranger=st.lists(faces, max_size=5), born=st.dates(date(2026, 6, 1)))
@thorough
def test_a_person_who_meets_nobody_and_a_child_born_after_all_photos_change_nothing(
    persons: list[PersonEvidence], registered: list[Child], stranger: list[FaceEvidence], born: date
) -> None:
    plan = plan_links(persons, registered, PARAMETERS)
    also = PersonEvidence(person_id(MOST), tuple(stranger))
    apart = [replace(one, meets=one.meets - {also.person_id}) for one in persons]
    later = plan_links([*apart, also], [*registered, child(9, born)], PARAMETERS)
    assert plan.links == tuple(link for link in later.links if link.person_id != also.person_id)
    if registered:
        assert plan.open == tuple(one for one in later.open if one.person_id != also.person_id)


@given(persons=families(), registered=children)
@thorough
def test_new_links_are_sure_possible_and_not_rejected(persons: list[PersonEvidence], registered: list[Child]) -> None:
    born = {one.child_id: one.birth_date for one in registered}
    evidence = {one.person_id: one for one in persons}
    for link in plan_links(persons, registered, PARAMETERS).links:
        one = evidence[link.person_id]
        assert link.child_id not in one.rejected_children
        if not link.kept:
            before = [(born[link.child_id] - face.taken_at.date()).days for face in one.faces]
            assert sum(days > PARAMETERS.before_birth_days + 1 for days in before) <= len(before) / 2


@given(persons=families(), registered=children)
@thorough
def test_linking_the_result_again_changes_no_link(persons: list[PersonEvidence], registered: list[Child]) -> None:
    links = {one.person_id: one.child_id for one in plan_links(persons, registered, PARAMETERS).links}
    later = [
        replace(one, linked=links.get(one.person_id), confirmed=one.confirmed and one.person_id in links)
        for one in persons
    ]
    again = plan_links(later, registered, PARAMETERS)
    assert {one.person_id: one.child_id for one in again.links} == links


@given(persons=families(), born=st.dates(date(2013, 1, 1), date(2024, 1, 1)), gender=st.sampled_from(Gender))
@thorough
def test_twins_are_never_guessed(persons: list[PersonEvidence], born: date, gender: Gender) -> None:
    twins = [child(1, born, gender), child(2, born, gender)]
    alone = [PersonEvidence(one.person_id, one.faces) for one in persons]
    assert not plan_links(alone, twins, PARAMETERS).links


@given(persons=families(), registered=children, order=st.permutations(range(MOST)))
@thorough
def test_doubts_about_birth_dates_do_not_depend_on_the_order(
    persons: list[PersonEvidence], registered: list[Child], order: list[int]
) -> None:
    plan = plan_links(persons, registered, PARAMETERS)
    found = doubt_birth_dates(persons, registered, plan, PARAMETERS)
    shuffled = [replace(one, faces=one.faces[::-1]) for number in order for one in persons[number : number + 1]]
    assert doubt_birth_dates(shuffled, registered[::-1], plan, PARAMETERS) == found
    assert all(doubt.low <= doubt.years <= doubt.high and doubt.persons for doubt in found)


@given(persons=families(), registered=children)
@thorough
def test_a_plan_survives_json(persons: list[PersonEvidence], registered: list[Child]) -> None:
    plan = plan_links(persons, registered, PARAMETERS)
    assert LinkPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    assert LinkParameters.from_dict(json.loads(json.dumps(PARAMETERS.to_dict()))) == PARAMETERS


@given(persons=families(), wrong=children, registered=children)
@thorough
def test_once_children_are_right_nothing_is_left_of_links_that_runs_made_by_wrong_ones(
    persons: list[PersonEvidence], wrong: list[Child], registered: list[Child]
) -> None:
    unlinked = [one if one.confirmed else replace(one, linked=None) for one in persons]
    said = {link.person_id: link.child_id for link in plan_links(unlinked, wrong, PARAMETERS).links}
    since = [one if one.confirmed else replace(one, linked=said.get(one.person_id)) for one in persons]
    right = plan_links(unlinked, registered, PARAMETERS)
    assert plan_links([one.afresh() for one in since], registered, PARAMETERS) == right
