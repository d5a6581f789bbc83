"""What must hold of every link plan, whatever the family."""

import json
from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from facealbum.domain.people import Child, Gender
from facealbum.linking import FaceEvidence, LinkParameters, LinkPlan, PersonEvidence, plan_links
from tests.unit.linking.people import child, child_id, person_id

PARAMETERS = LinkParameters(threshold=0.6, min_faces=1)
MOST = 6

faces = st.builds(
    FaceEvidence,
    taken_at=st.datetimes(datetime(2014, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    age=st.floats(0, 60),
    p_female=st.floats(0, 1),
    quality=st.floats(0, 1),
)
children = st.lists(st.tuples(st.dates(date(2013, 1, 1), date(2024, 1, 1)), st.sampled_from(Gender)), max_size=3).map(
    lambda rows: [child(number, *row) for number, row in enumerate(rows)]
)
thorough = settings(max_examples=100, deadline=None)


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
        )
        for number in range(draw(st.integers(0, MOST)))
    ]


@given(persons=families(), registered=children, order=st.permutations(range(MOST)))
@thorough
def test_the_order_of_persons_faces_and_children_does_not_matter(
    persons: list[PersonEvidence], registered: list[Child], order: list[int]
) -> None:
    shuffled = [
        PersonEvidence(one.person_id, one.faces[::-1], one.meets, one.linked, one.rejected_children)
        for number in order
        for one in persons[number : number + 1]
    ]
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
    linked = {one.person_id: one.child_id for one in plan_links(persons, registered, PARAMETERS).links}
    for one in persons:
        for other in one.meets:
            assert one.person_id not in linked or linked[one.person_id] != linked.get(other)


@given(persons=families(), registered=children)
@thorough
def test_new_links_are_sure_possible_and_not_rejected(persons: list[PersonEvidence], registered: list[Child]) -> None:
    born = {one.child_id: one.birth_date for one in registered}
    evidence = {one.person_id: one for one in persons}
    for link in plan_links(persons, registered, PARAMETERS).links:
        one = evidence[link.person_id]
        assert link.child_id not in one.rejected_children
        if not link.kept:
            first = min(face.taken_at for face in one.faces).date()
            assert (born[link.child_id] - first).days <= PARAMETERS.before_birth_days


@given(persons=families(), registered=children)
@thorough
def test_linking_the_result_again_changes_no_link(persons: list[PersonEvidence], registered: list[Child]) -> None:
    links = {one.person_id: one.child_id for one in plan_links(persons, registered, PARAMETERS).links}
    later = [
        PersonEvidence(one.person_id, one.faces, one.meets, links.get(one.person_id), one.rejected_children)
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


@given(persons=families(), registered=children)
@thorough
def test_a_plan_survives_json(persons: list[PersonEvidence], registered: list[Child]) -> None:
    plan = plan_links(persons, registered, PARAMETERS)
    assert LinkPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    assert LinkParameters.from_dict(json.loads(json.dumps(PARAMETERS.to_dict()))) == PARAMETERS
