"""Which persons are which registered children."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from facealbum.domain.people import Gender
from facealbum.errors import InvalidValueError
from facealbum.linking import LinkParameters, LinkPlan, OpenReason, plan_links
from tests.unit.linking.people import (
    MAI,
    MAI_BORN,
    PARAMETERS,
    REN,
    REN_BORN,
    child,
    child_id,
    faces_of,
    person,
    person_id,
)


def links(plan: LinkPlan) -> dict[int, int]:
    return {link.person_id.int - 1000: link.child_id.int for link in plan.links}


def reasons(plan: LinkPlan) -> dict[int, OpenReason]:
    return {one.person_id.int - 1000: one.reason for one in plan.open}


def test_siblings_are_told_apart_by_age() -> None:
    persons = [person(1, faces_of(MAI_BORN)), person(2, faces_of(REN_BORN))]
    plan = plan_links(persons, [MAI, REN], PARAMETERS)
    assert links(plan) == {1: 1, 2: 2}
    assert plan.links[0].faces == 8
    assert plan.links[0].age_error == pytest.approx(0, abs=0.01)
    assert not plan.links[0].kept


def test_an_adult_is_somebody_else() -> None:
    plan = plan_links([person(1, faces_of(date(1985, 5, 5)))], [MAI, REN], PARAMETERS)
    assert reasons(plan) == {1: OpenReason.SOMEBODY_ELSE}


def test_a_child_is_followed_over_the_years() -> None:
    years = [face for year in range(2016, 2026) for face in faces_of(MAI_BORN, start=date(year, 4, 1), count=3)]
    plan = plan_links([person(1, years)], [MAI, REN], PARAMETERS)
    assert links(plan) == {1: 1}


def test_gender_tells_apart_what_age_does_not() -> None:
    girl, boy = child(1, MAI_BORN, Gender.FEMALE), child(2, MAI_BORN, Gender.MALE)
    persons = [person(1, faces_of(MAI_BORN, p_female=0.95)), person(2, faces_of(MAI_BORN, p_female=0.05))]
    assert links(plan_links(persons, [girl, boy], PARAMETERS)) == {1: 1, 2: 2}


def test_what_a_user_says_of_one_face_outranks_the_models() -> None:
    girl, boy = child(1, MAI_BORN, Gender.FEMALE), child(2, MAI_BORN, Gender.MALE)
    first, *rest = faces_of(MAI_BORN, p_female=0.95)
    told = [replace(first, p_female=0.0, told_female=True), *rest]
    assert links(plan_links([person(1, told)], [girl, boy], PARAMETERS)) == {1: 2}
    looks_grown = faces_of(date(2010, 1, 1), count=3)  # but is Mai, as old as she is in two of them
    said = [replace(one, age=(one.taken_at.date() - MAI_BORN).days / 365, told_age=True) for one in looks_grown[:2]]
    assert links(plan_links([person(1, looks_grown)], [MAI], PARAMETERS)) == {}
    assert links(plan_links([person(1, [*said, looks_grown[2]])], [MAI], PARAMETERS)) == {1: 1}


def test_an_estimate_that_a_user_calls_wrong_says_nothing() -> None:
    first, *rest = faces_of(MAI_BORN, count=5)
    wrong = replace(first, age=70.0, p_female=0.99)
    told = replace(wrong, age=None, p_female=None, told_age=True, told_female=True)
    (judged,) = plan_links([person(1, [told, *rest])], [MAI], PARAMETERS).links
    (without,) = plan_links([person(1, rest)], [MAI], PARAMETERS).links
    assert (judged.age_error, judged.p_female) == (without.age_error, without.p_female)
    assert judged.probability == pytest.approx(without.probability, abs=0.02)
    silent = [replace(one, age=None, p_female=None, told_age=True, told_female=True) for one in (first, *rest)]
    assert links(plan_links([person(1, silent)], [MAI], PARAMETERS)) == {}


def test_a_gender_that_is_barely_likelier_decides_nothing() -> None:
    girl, boy = child(1, MAI_BORN, Gender.FEMALE), child(2, MAI_BORN, Gender.MALE)
    baby = faces_of(MAI_BORN, start=MAI_BORN + timedelta(days=60), count=4, p_female=0.55, spread=0.1)
    assert reasons(plan_links([person(1, baby)], [girl, boy], PARAMETERS)) == {1: OpenReason.AMBIGUOUS}


def test_what_estimates_are_known_to_be_off_by_is_taken_out() -> None:
    flat = LinkParameters(error_ages=(5.0,), error_bias=(3.0,), error_spread=(1.0,))
    seen = [person(1, faces_of(MAI_BORN, error=3.0))]
    children = [MAI, child(2, MAI_BORN - timedelta(days=3 * 365), Gender.UNKNOWN)]
    assert links(plan_links(seen, children, flat)) == {1: 1}
    assert links(
        plan_links(seen, children, LinkParameters(error_ages=(5.0,), error_bias=(0.0,), error_spread=(1.0,)))
    ) == {1: 2}


def test_twins_stay_open() -> None:
    twins = [child(1, MAI_BORN, Gender.FEMALE), child(2, MAI_BORN, Gender.FEMALE)]
    persons = [person(1, faces_of(MAI_BORN), meets=[2]), person(2, faces_of(MAI_BORN), meets=[1])]
    plan = plan_links(persons, twins, PARAMETERS)
    assert reasons(plan) == {1: OpenReason.AMBIGUOUS, 2: OpenReason.AMBIGUOUS}


def test_once_a_user_names_a_twin_the_one_beside_it_is_the_other() -> None:
    twins = [child(1, MAI_BORN, Gender.FEMALE), child(2, MAI_BORN, Gender.FEMALE)]
    persons = [
        person(1, faces_of(MAI_BORN), linked=2, confirmed=True),
        person(2, faces_of(MAI_BORN), meets=[1]),
        person(3, faces_of(MAI_BORN)),
    ]
    plan = plan_links(persons, twins, PARAMETERS)
    assert links(plan) == {1: 2, 2: 1}
    assert reasons(plan) == {3: OpenReason.AMBIGUOUS}


def test_two_persons_of_one_photo_are_not_the_same_child() -> None:
    persons = [person(1, faces_of(MAI_BORN, error=4.0), meets=[2]), person(2, faces_of(MAI_BORN, count=30))]
    assert links(plan_links(persons, [MAI], PARAMETERS)) == {2: 1}


def test_whoever_meets_the_person_of_its_likeliest_child_is_open_as_that_is_taken() -> None:
    persons = [person(1, faces_of(MAI_BORN), meets=[2]), person(2, faces_of(MAI_BORN, error=1.0), linked=1)]
    plan = plan_links(persons, [MAI], PARAMETERS)
    assert links(plan) == {2: 1}
    assert reasons(plan) == {1: OpenReason.TAKEN}
    assert plan.open[0].child_id == child_id(1)


def test_of_two_persons_of_one_photo_who_fit_a_child_alike_neither_is_guessed() -> None:
    persons = [person(1, faces_of(MAI_BORN), meets=[2]), person(2, faces_of(MAI_BORN, error=0.2))]
    plan = plan_links(persons, [MAI], PARAMETERS)
    assert reasons(plan) == {1: OpenReason.AMBIGUOUS, 2: OpenReason.AMBIGUOUS}


def test_siblings_who_meet_are_surer_together_than_each_alone() -> None:
    girl, boy = child(1, MAI_BORN, Gender.FEMALE), child(2, MAI_BORN, Gender.MALE)
    alike = [faces_of(MAI_BORN, p_female=p, spread=0.0) for p in (0.57, 0.43)]
    apart = plan_links([person(1, alike[0]), person(2, alike[1])], [girl, boy], PARAMETERS)
    assert reasons(apart) == {1: OpenReason.AMBIGUOUS, 2: OpenReason.AMBIGUOUS}
    together = plan_links([person(1, alike[0], meets=[2]), person(2, alike[1])], [girl, boy], PARAMETERS)
    assert links(together) == {1: 1, 2: 2}


def test_a_child_registered_since_changes_no_earlier_probability() -> None:
    seen = [person(1, faces_of(MAI_BORN)), person(2, faces_of(REN_BORN), meets=[1])]
    before = plan_links(seen, [MAI, REN], PARAMETERS)
    assert plan_links(seen, [MAI, REN, child(3, date(2026, 1, 1))], PARAMETERS) == before


def test_one_child_may_be_several_persons_that_never_meet() -> None:
    later = faces_of(MAI_BORN, start=date(2025, 6, 1))
    plan = plan_links([person(1, faces_of(MAI_BORN)), person(2, later)], [MAI, REN], PARAMETERS)
    assert links(plan) == {1: 1, 2: 1}


def test_photos_from_before_the_birth_rule_a_child_out() -> None:
    late = faces_of(REN_BORN, start=REN_BORN - timedelta(days=10), spread=0.0)
    assert links(plan_links([person(1, late)], [REN], PARAMETERS)) == {1: 2}
    early = faces_of(REN_BORN, start=REN_BORN - timedelta(days=60), spread=0.0)
    assert not plan_links([person(1, early)], [REN], PARAMETERS).links


def test_a_camera_that_forgot_the_date_rules_nobody_out() -> None:
    forgot = faces_of(MAI_BORN, start=date(2000, 1, 1), count=1)
    assert links(plan_links([person(1, [*faces_of(MAI_BORN, count=20), *forgot])], [MAI, REN], PARAMETERS)) == {1: 1}


def test_an_earlier_link_persists_against_later_evidence() -> None:
    plan = plan_links([person(1, faces_of(date(1985, 5, 5)), linked=1)], [MAI], PARAMETERS)
    assert links(plan) == {1: 1}
    assert plan.links[0].kept
    assert plan.links[0].probability < 0.01


def test_of_two_earlier_links_that_meet_the_surer_holds() -> None:
    persons = [person(1, faces_of(MAI_BORN, error=2.0), meets=[2], linked=1), person(2, faces_of(MAI_BORN), linked=1)]
    assert links(plan_links(persons, [MAI], PARAMETERS)) == {2: 1}


def test_confirmed_links_hold_even_if_they_meet() -> None:
    persons = [
        person(1, faces_of(MAI_BORN), meets=[2], linked=1, confirmed=True),
        person(2, faces_of(MAI_BORN), linked=1, confirmed=True),
    ]
    assert links(plan_links(persons, [MAI], PARAMETERS)) == {1: 1, 2: 1}


def test_a_rejected_child_is_never_linked() -> None:
    persons = [person(1, faces_of(MAI_BORN), rejected=[1]), person(2, faces_of(MAI_BORN), linked=1, rejected=[1])]
    assert not plan_links(persons, [MAI, REN], PARAMETERS).links


def test_a_link_to_a_child_that_is_registered_no_more_ends() -> None:
    plan = plan_links([person(1, faces_of(MAI_BORN), linked=1)], [REN], PARAMETERS)
    assert not plan.links


def test_one_misjudged_face_does_not_decide() -> None:
    faces = (*faces_of(MAI_BORN), *faces_of(date(1970, 1, 1), count=1))
    assert links(plan_links([person(1, faces)], [MAI, REN], PARAMETERS)) == {1: 1}


def test_few_faces_are_not_linked_yet() -> None:
    plan = plan_links([person(1, faces_of(MAI_BORN, count=2))], [MAI], PARAMETERS)
    assert reasons(plan) == {1: OpenReason.UNSURE}


def test_the_reason_says_when_there_is_nothing_to_judge() -> None:
    assert reasons(plan_links([person(1, ())], [MAI], PARAMETERS)) == {1: OpenReason.NO_FACES}
    assert reasons(plan_links([person(1, faces_of(MAI_BORN))], [], PARAMETERS)) == {1: OpenReason.NO_CHILDREN}
    assert plan_links([], [MAI], PARAMETERS) == LinkPlan()


def test_a_person_given_twice_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=f"given once.*{person_id(1)}"):
        plan_links([person(1, ()), person(1, ())], [MAI], PARAMETERS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0.5},
        {"correlation": 1.1},
        {"min_faces": 0},
        {"error_ages": [3.0, 0.0]},
        {"error_bias": [1.0]},
        {"error_spread": [0.0] * 6},
        {"error_freedom": 0.5},
        {"treshold": 0.8},
    ],
)
def test_parameters_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValueError, match=r"must (be|have)"):
        LinkParameters.from_dict(wrong)
