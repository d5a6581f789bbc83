"""A birth date that the photos contradict is asked about; once it is right, whatever runs linked follows."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from facealbum.clustering import ClusteringParameters
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import child_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.children import change_child
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide, list_persons
from facealbum.steps.families import forget_family
from facealbum.steps.imports import import_folder
from facealbum.steps.link_inputs import explain_link
from facealbum.steps.report import write_report
from facealbum.storage.families import save_child, save_family
from facealbum.storage.schema import arms, links, persons
from tests.integration.album import FAMILY, FAMILY_ID, add, shots

YEAR = Month(2026, 12)
HANA = Child(child_id(FAMILY_ID, "Hana"), "Hana", date(2022, 2, 1), Gender.MALE)  # the album's people have p_female
REN = Child(child_id(FAMILY_ID, "Ren"), "Ren", date(2014, 3, 1), Gender.FEMALE)  # 0.1 and 0.9 by turns
WRONG = {
    "one for the other": [replace(HANA, birth_date=date(2014, 3, 1)), replace(REN, birth_date=date(2022, 2, 1))],
    "the gender, too": [replace(HANA, birth_date=date(2019, 6, 1), gender=Gender.FEMALE), REN],
}
ALBUM = shots(months=3, a_month=14)


def register(context: Context, children: Iterable[Child]) -> None:
    with context.database.begin() as transaction:
        save_family(transaction, FAMILY, now=context.clock())
        for child in children:
            save_child(transaction, FAMILY_ID, child, now=context.clock())


def correct(context: Context, child: Child) -> int:
    given = {"birth_date": child.birth_date, "gender": child.gender}
    return change_child(context, FAMILY_ID, child.child_id, **given).relinked  # type: ignore[arg-type]


def linked(context: Context) -> dict[tuple[str, UUID], tuple[UUID, float, dict[str, float]]]:
    """Child, probability and evidence of every linked person, by arm and person."""
    query = (
        select(arms.c.name, links.c.person_id, links.c.child_id, links.c.probability, links.c.evidence)
        .join(persons, (persons.c.family_id == links.c.family_id) & (persons.c.person_id == links.c.person_id))
        .join(arms, arms.c.arm_id == persons.c.arm_id)
    )
    with context.database.begin() as transaction:
        return {(row.name, row.person_id): tuple(row[2:]) for row in transaction.execute(query)}


def cluster(context: Context, through: Month) -> None:
    """Under the arm that is shown, and beside it under another one."""
    cluster_families(context, through)
    cluster_families(context, through, arm=ArmPlan("looser", clustering=ClusteringParameters(similarity=0.3)))


def test_a_wrong_birth_date_is_asked_about_until_it_is_put_right(context: Context, tmp_path: Path) -> None:
    add(context, [shot for shot in shots(months=3, a_month=10) if 0 in shot.people])
    register(context, [replace(HANA, birth_date=date(2025, 1, 1))])
    (doubt,) = cluster_families(context, YEAR).doubted_births[FAMILY]
    assert (doubt.child, doubt.born) == ("Hana", "2025-01-01")
    assert doubt.low <= 3 <= doubt.high
    write_report(context, tmp_path / "report.html")
    assert doubt.sentence in (tmp_path / "report.html").read_text(encoding="utf-8")
    correct(context, HANA)
    assert cluster_families(context, YEAR).doubted_births[FAMILY] == ()


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_links_are_as_if_the_children_had_been_right_from_the_start(context: Context, wrong: list[Child]) -> None:
    ends = []
    for given in ([HANA, REN], wrong):
        add(context, ALBUM)
        register(context, given)
        cluster(context, Month(2026, 2))
        for child in (HANA, REN):
            correct(context, child)
        ends.append([linked(context)])
        cluster(context, YEAR)
        ends[-1].append(linked(context))
        forget_family(context, FAMILY)
    assert {arm for arm, _ in ends[0][0]} == {"default", "looser"}
    assert {child for child, _, _ in ends[0][0].values()} == {HANA.child_id, REN.child_id}
    assert ends[1] == ends[0]


def test_what_users_said_of_links_stands_whatever_is_corrected(context: Context) -> None:
    add(context, ALBUM)
    register(context, WRONG["one for the other"])
    cluster_families(context, YEAR)
    young, old = sorted(linked(context), key=lambda key: linked(context)[key][0] == HANA.child_id)
    decide(context, FAMILY, Said(Kind.LINK, person=str(old[1]), child="Hana"), author="ann")
    decide(context, FAMILY, Said(Kind.UNLINK, person=str(young[1]), child="Hana"), author="ann")
    assert correct(context, HANA) == 0
    assert linked(context)[old][0] == HANA.child_id
    correct(context, REN)
    now = linked(context)
    assert now[old][0] == HANA.child_id
    assert young not in now


def test_what_drove_a_link_is_told_by_the_date_that_was_corrected(context: Context) -> None:
    add(context, ALBUM)
    register(context, [replace(HANA, birth_date=date(2021, 2, 1)), REN])
    cluster_families(context, YEAR)
    (person,) = (one.person_id for one in list_persons(context, FAMILY) if one.child == "Hana")
    before = explain_link(context, FAMILY_ID, person)
    correct(context, HANA)
    after = explain_link(context, FAMILY_ID, person)
    assert after.child_id == before.child_id
    assert after.age_error == pytest.approx(before.age_error + 1, abs=0.01)
    assert after.inputs != before.inputs


def test_a_child_of_another_name_has_the_links_that_it_had(context: Context) -> None:
    add(context, ALBUM)
    register(context, [HANA, REN])
    cluster_families(context, YEAR)
    before = linked(context)
    named = change_child(context, FAMILY_ID, HANA.child_id, name="Hanako", birth_date=HANA.birth_date)
    assert (named.child.name, named.relinked) == ("Hanako", 0)
    assert linked(context) == before


def test_an_import_that_corrects_a_child_tells_who_is_linked_otherwise(context: Context, tmp_path: Path) -> None:
    add(context, ALBUM)
    register(context, WRONG["one for the other"])
    cluster_families(context, YEAR)
    done = import_folder(context, tmp_path, FAMILY, [HANA, REN])
    assert (done.children, done.relinked) == (2, 2)
    assert {child for child, _, _ in linked(context).values()} == {HANA.child_id, REN.child_id}
    again = import_folder(context, tmp_path, FAMILY, [HANA, REN])
    assert (again.children, again.relinked) == (0, 0)
