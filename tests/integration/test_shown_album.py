"""What the pages of a family are made from, beside slow counts of the whole album."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from facealbum.domain.decisions import Kind
from facealbum.domain.ids import FaceId, PersonId
from facealbum.domain.months import Month
from facealbum.errors import UnknownFamilyError, UnknownPersonError, UnknownPhotoError
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide, latest_decisions, list_faces, list_persons, undo
from facealbum.steps.dashboard import refresh
from facealbum.steps.explorer import find_families
from facealbum.steps.family_pages import (
    FACES,
    FacesLook,
    MergedPerson,
    look_at_family,
    look_at_person,
    look_at_photo,
    look_at_waiting,
)
from facealbum.storage.schema import photos
from tests.conftest import copied, original
from tests.integration.album import FAMILY, FAMILY_ID, add, shots


@pytest.fixture(scope="module")
def album(server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with three clustered months of four people, and one that waits."""
    with original(server, "shown", tmp_path_factory) as world:
        add(world, shots(months=4, a_month=40))
        cluster_families(world, Month(2026, 3))
    return "shown"


@pytest.fixture
def database_url(server: str, album: str) -> Iterator[str]:
    """A copy of it, which the test may change."""
    with copied(server, album, "shown_copy") as url:
        yield url


def say(context: Context, kind: Kind, *some: FaceId, **parts: object) -> int:
    told = {key: str(value) for key, value in parts.items()}
    return decide(context, FAMILY, Said(kind, tuple(map(str, some)), **told), author="ann").number


def pages_of(context: Context, person: PersonId | None) -> list[FacesLook]:
    """Every page, one after the other."""
    found: list[FacesLook] = []
    before = None
    while not found or before:
        look = (
            look_at_person(context, FAMILY_ID, person, before=before)
            if person
            else look_at_waiting(context, FAMILY_ID, before=before)
        )
        assert isinstance(look, FacesLook)
        found.append(look)
        before = look.before
    return found


def test_pages_of_faces_show_each_face_once_newest_first(context: Context) -> None:
    person = list_persons(context, FAMILY)[0].person_id
    for who in (person, None):
        pages = pages_of(context, who)
        shown = [face for page in pages for face in page.faces]
        wanted = list_faces(context, FAMILY, who and str(who))
        assert [face.face_id for face in shown] == [
            one.face_id for one in sorted(wanted, key=lambda one: (one.taken_at, one.face_id), reverse=True)
        ]
        assert len(pages) > 1
        assert all(len(page.faces) <= FACES for page in pages)
        assert {face.person_id for face in shown} == {who}


def test_a_family_shows_what_its_album_holds(context: Context) -> None:
    refresh(context)
    look = look_at_family(context, FAMILY_ID)
    whole = list_persons(context, FAMILY)
    assert [(one.person_id, one.faces) for one in look.persons] == [(one.person_id, one.faces) for one in whole]
    assert look.waiting == len(list_faces(context, FAMILY))
    assert look.months[-1] == Month(2026, 4)
    assert str(look.months[0]) == min(f"{row['month']:%Y-%m}" for row in look.rows["timeline"])
    assert sum(row["faces"] for row in look.rows["timeline"]) == sum(one.faces for one in whole)
    assert set(look.pictures) == {one.person_id for one in whole}
    assert look.pictures[whole[0].person_id] in {
        one.face_id for one in list_faces(context, FAMILY, str(whole[0].person_id))
    }


def test_a_timeline_without_anybody_has_its_twelve_months(context: Context) -> None:
    refresh(context)
    look = look_at_family(context, FAMILY_ID, until=Month(2025, 6))
    assert [look.months[0], look.months[-1], len(look.months)] == [Month(2024, 7), Month(2025, 6), 12]
    assert not look.rows["timeline"]


def test_persons_go_on_after_the_last_one_of_the_page_before(context: Context) -> None:
    first, second, *_ = look_at_family(context, FAMILY_ID).persons
    rest = look_at_family(context, FAMILY_ID, after=(first.faces, first.person_id)).persons
    assert rest[0] == second
    assert first not in rest


def test_a_merged_person_leads_to_who_it_is_and_an_unknown_one_to_nobody(context: Context) -> None:
    one, other, *_ = [person.person_id for person in list_persons(context, FAMILY)]
    number = say(context, Kind.DIFFERENT, person=one, other=other)
    undo(context, FAMILY, number, author="ann")
    say(context, Kind.MERGE, person=one, other=other)
    assert look_at_person(context, FAMILY_ID, one) == MergedPerson(other)
    with pytest.raises(UnknownPersonError):
        look_at_person(context, FAMILY_ID, PersonId(FAMILY_ID))


def test_a_photo_shows_each_of_its_faces_with_its_reason(context: Context) -> None:
    face = list_faces(context, FAMILY, str(list_persons(context, FAMILY)[0].person_id))[0]
    with context.database.begin() as transaction:
        photo = transaction.execute(select(photos.c.photo_id).where(photos.c.key == face.photo)).scalar_one()
    look = look_at_photo(context, FAMILY_ID, photo)
    assert [one.face_id for one in look.faces] == [
        one.face_id for one in sorted(list_faces(context, FAMILY, photo=face.photo), key=lambda one: one.box)
    ]
    assert {one.face_id for one in look.faces} == set(look.why)
    with pytest.raises(UnknownPhotoError):
        look_at_photo(context, FAMILY_ID, photo.__class__(int=1))


def test_decisions_come_newest_first_by_page_person_and_number(context: Context) -> None:
    one, other, third, *_ = [person.person_id for person in list_persons(context, FAMILY)]
    faces = [face.face_id for face in list_faces(context, FAMILY, str(one))][:2]
    numbers = [
        say(context, Kind.NAME, person=other, name="Hana"),
        say(context, Kind.SPLIT, *faces, person=one),
        say(context, Kind.HIDE, person=third),
    ]
    made = latest_decisions(context, FAMILY_ID, limit=9)
    assert [decided.number for decided in made] == numbers[::-1]
    assert [decided.number for decided in latest_decisions(context, FAMILY_ID, limit=1, before=3)] == [2]
    assert [decided.kind for decided in latest_decisions(context, FAMILY_ID, limit=9, person=third)] == ["hide"]
    assert [decided.number for decided in latest_decisions(context, FAMILY_ID, limit=9, person=made[1].new_person)] == [
        2
    ]
    assert [decided.number for decided in latest_decisions(context, FAMILY_ID, limit=9, numbers=[1, 3])] == [3, 1]
    with pytest.raises(UnknownFamilyError):
        latest_decisions(context, FAMILY_ID.__class__(int=1), limit=1)


def test_families_are_found_by_name_and_by_the_beginning_of_their_id(context: Context) -> None:
    add(context, shots(months=1, a_month=1), family="Tanaka")
    everybody = find_families(context)
    assert sorted(everybody.names.values()) == [FAMILY, "Tanaka"]
    for asked in (FAMILY, f" {FAMILY} ", str(FAMILY_ID), str(FAMILY_ID)[:9], str(FAMILY_ID).upper()):
        assert [row["family_id"] for row in find_families(context, asked).families] == [FAMILY_ID], asked
    assert find_families(context, "%").families == []
    assert find_families(context, after=max(everybody.names)).families == []


def test_a_page_of_faces_goes_on_though_some_went_meanwhile(context: Context) -> None:
    person = list_persons(context, FAMILY)[0].person_id
    first, second, *_ = pages_of(context, person)
    say(context, Kind.NOT_A_FACE, *(face.face_id for face in first.faces[:5]))
    again = look_at_person(context, FAMILY_ID, person, before=first.before)
    assert isinstance(again, FacesLook)
    assert [face.face_id for face in again.faces] == [face.face_id for face in second.faces]
    assert again.faces[0].taken_at - first.faces[-1].taken_at <= timedelta()
