"""What drove a link, held to the probabilities of all labellings written out."""

from dataclasses import replace
from datetime import date
from itertools import combinations
from math import log

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from facealbum.domain.people import Child, Gender
from facealbum.linking import INPUTS, Attribution, LinkPlan, PersonEvidence, plan_links
from facealbum.linking.candidate import weigh
from tests.unit.linking.oracle import write_out
from tests.unit.linking.people import MAI, MAI_BORN, PARAMETERS, REN, child, faces_of, person, person_id

BORN = st.dates(date(2012, 1, 1), date(2022, 12, 31))


@st.composite
def families(draw: st.DrawFn) -> tuple[list[PersonEvidence], list[Child]]:
    children = [child(number, draw(BORN), draw(st.sampled_from(Gender))) for number in range(draw(st.integers(1, 3)))]
    count = draw(st.integers(1, 4))
    meets = [pair for pair in combinations(range(count), 2) if draw(st.booleans())]
    persons = [
        person(
            number,
            faces_of(draw(st.sampled_from(children)).birth_date, count=4, p_female=draw(st.floats(0, 1))),
            meets=[b if a == number else a for a, b in meets if number in (a, b)],
            rejected=draw(st.sets(st.integers(0, len(children) - 1), max_size=1)),
        )
        for number in range(count)
    ]
    return persons, children


def inputs_of(plan: LinkPlan, number: int) -> Attribution:
    (found,) = [link.inputs for link in plan.links if link.person_id == person_id(number)]
    assert found is not None
    return found


@given(family=families())
def test_the_shares_add_up_to_the_log_odds_of_all_labellings_against_the_best_alternative(
    family: tuple[list[PersonEvidence], list[Child]],
) -> None:
    persons, children = family
    odds = {one.person_id: weigh(one, children, PARAMETERS).odds for one in persons}
    said = write_out(odds, {one.person_id: set(one.meets) for one in persons})
    plan = plan_links(persons, children, PARAMETERS)
    assume(plan.links)
    for link in plan.links:
        assert link.inputs is not None
        assert link.inputs.exclusions >= 0
        best = max(value for (who, which), value in said.items() if who == link.person_id and which != link.child_id)
        log_odds = log(said[link.person_id, link.child_id] / best)
        assert link.inputs.log_odds == pytest.approx(log_odds, abs=1e-5)
        assert said[link.person_id, link.inputs.against] == pytest.approx(best)


@given(family=families())
def test_a_plan_on_record_keeps_what_drove_its_links(family: tuple[list[PersonEvidence], list[Child]]) -> None:
    plan = plan_links(*family, PARAMETERS)
    assert LinkPlan.from_dict(plan.to_dict()) == plan


def test_a_plan_of_a_release_that_did_not_tell_is_still_read() -> None:
    plan = plan_links([person(1, faces_of(MAI_BORN))], [MAI], PARAMETERS)
    values = plan.to_dict()
    del values["links"][0]["inputs"]
    assert LinkPlan.from_dict(values).links == (replace(plan.links[0], inputs=None),)


def test_whoever_meets_nobody_is_driven_by_its_own_faces_alone() -> None:
    inputs = inputs_of(plan_links([person(1, faces_of(MAI_BORN))], [MAI, REN], PARAMETERS), 1)
    assert (inputs.company, inputs.exclusions, inputs.dates) == (0, 0, 0)
    assert inputs.against is None
    assert inputs.log_odds == pytest.approx(inputs.prior + inputs.age + inputs.gender)


def test_gender_is_all_that_drives_the_link_of_a_twin() -> None:
    girl, boy = child(1, MAI_BORN, Gender.FEMALE), child(2, MAI_BORN, Gender.MALE)
    inputs = inputs_of(plan_links([person(1, faces_of(MAI_BORN, p_female=0.95))], [girl, boy], PARAMETERS), 1)
    assert inputs.against == boy.child_id
    assert {name: getattr(inputs, name) for name in INPUTS if name != "gender"} == dict.fromkeys(
        (name for name in INPUTS if name != "gender"), 0
    )
    assert inputs.gender > 1


def test_what_a_user_rules_out_is_told_as_an_exclusion() -> None:
    twins = [child(1, MAI_BORN), child(2, MAI_BORN)]
    inputs = inputs_of(plan_links([person(1, faces_of(MAI_BORN), rejected=[2])], twins, PARAMETERS), 1)
    assert inputs.against is None
    assert inputs.age == 0, "the twin's faces would be as old"
    assert inputs.exclusions == pytest.approx(inputs.log_odds)


def test_the_one_beside_a_named_twin_is_driven_by_company() -> None:
    twins = [child(1, MAI_BORN), child(2, MAI_BORN)]
    persons = [
        person(1, faces_of(MAI_BORN), meets=[2], linked=1, confirmed=True),
        person(2, faces_of(MAI_BORN), meets=[1]),
    ]
    inputs = inputs_of(plan_links(persons, twins, PARAMETERS), 2)
    assert inputs.company == pytest.approx(inputs.log_odds)
    assert inputs.company > 1


def test_a_link_that_a_user_made_against_all_dates_is_driven_by_nothing_else() -> None:
    before = person(1, faces_of(date(2005, 1, 1), start=date(2010, 1, 1)), linked=2, confirmed=True)
    (link,) = plan_links([before], [REN], PARAMETERS).links
    assert link.inputs is None
