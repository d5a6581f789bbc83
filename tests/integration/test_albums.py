"""Albums are what the database says of people at this moment: of one, of the children together, of the family."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from facealbum.domain.ids import PersonId, child_id, photo_id, run_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.domain.photos import original_key
from facealbum.errors import UnknownFamilyError
from facealbum.steps.albums import AlbumOverview, list_albums
from facealbum.steps.context import Context
from facealbum.steps.embedders import DEFAULT_ARM, default_space
from facealbum.steps.export import export_albums
from facealbum.steps.highlights import pick_highlights
from facealbum.storage.albums import AlbumKind
from facealbum.storage.analyses import ensure_space
from facealbum.storage.families import save_child, save_family
from facealbum.storage.runs import ensure_arm
from facealbum.storage.schema import assignments, faces, links, persons, photos
from tests.integration.album import FAMILY, FAMILY_ID, Shot, add

HANA, REN, MOTHER, GUEST = range(4)
PERSONS = [PersonId(run_id(FAMILY_ID, "person", str(number), "")) for number in range(4)]
START = datetime(2026, 1, 5, 12, tzinfo=UTC)


def album(people: tuple[int, ...], *, week: int, number: int = 0) -> Shot:
    return Shot(f"{week:02d}-{number}", START + timedelta(weeks=week, minutes=number), people)


SHOTS = [
    *(album((HANA, MOTHER), week=week) for week in range(8)),
    album((HANA, REN), week=8),
    album((REN,), week=9),
    *(album((HANA, GUEST), week=10, number=number) for number in range(10)),
]


def fill(context: Context, photos: list[Shot], *, children: Mapping[int, str]) -> None:
    """The photos with everybody recognised, and these people linked to children."""
    truth = add(context, photos)
    now = context.clock()
    with context.database.begin() as transaction:
        space = ensure_space(transaction, default_space())
        arm = ensure_arm(transaction, DEFAULT_ARM, space_id=space, algorithm="constrained", parameters={}).arm_id
        mine = {"family_id": FAMILY_ID}
        for person in sorted(set(truth.values())):
            transaction.execute(insert(persons).values(**mine, person_id=PERSONS[person], arm_id=arm))
        for face, person in truth.items():
            given = {"person_id": PERSONS[person], "state": "confirmed", "score": 0.5, "assigned_at": now}
            transaction.execute(insert(assignments).values(**mine, arm_id=arm, face_id=face, **given))
        for year, (person, name) in enumerate(children.items(), 2018):
            child = Child(child_id(FAMILY_ID, name), name, date(year, 1, 1), Gender.UNKNOWN)
            save_child(transaction, FAMILY_ID, child, now=now)
            linked = {"child_id": child.child_id, "probability": 1, "evidence": {}, "linked_at": now}
            transaction.execute(insert(links).values(**mine, person_id=PERSONS[person], **linked))


def say(context: Context, person: int, **values: object) -> None:
    with context.database.begin() as transaction:
        transaction.execute(update(persons).where(persons.c.person_id == PERSONS[person]).values(**values))


def photos_in(context: Context) -> dict[str, int]:
    return {one.title: one.photos for one in list_albums(context)}


@pytest.fixture
def mori(context: Context) -> Context:
    """Two children, a mother who is often there, and a guest of one week."""
    fill(context, SHOTS, children={HANA: "Hana", REN: "Ren"})
    return context


def test_each_child_the_children_together_and_the_whole_family_have_albums(mori: Context) -> None:
    assert list_albums(mori)[:4] == [
        AlbumOverview(FAMILY, "Hana", AlbumKind.CHILD, 19, 0, date(2026, 1, 5), date(2026, 3, 16)),
        AlbumOverview(FAMILY, "Ren", AlbumKind.CHILD, 2, 0, date(2026, 3, 2), date(2026, 3, 9)),
        AlbumOverview(FAMILY, "children together", AlbumKind.CHILDREN, 1, 0, date(2026, 3, 2), date(2026, 3, 2)),
        AlbumOverview(FAMILY, "whole family", AlbumKind.FAMILY, 8, 0, date(2026, 1, 5), date(2026, 2, 23)),
    ]


def test_people_without_a_name_are_numbered_by_size(mori: Context) -> None:
    assert photos_in(mori) == {
        "Hana": 19, "Ren": 2, "children together": 1, "whole family": 8, "person 1": 10, "person 2": 8
    }  # fmt: skip
    say(mori, GUEST, name="Uncle")
    assert photos_in(mori).keys() == {"Hana", "Ren", "children together", "whole family", "Uncle", "person 1"}


def test_a_hidden_person_is_in_no_album_and_hides_no_photo_of_others(mori: Context) -> None:
    say(mori, MOTHER, hidden=True)
    assert photos_in(mori) == {"Hana": 19, "Ren": 2, "children together": 1, "person 1": 10}


def test_a_child_linked_to_two_persons_has_one_album(context: Context) -> None:
    photos = [album((HANA,), week=0), album((REN,), week=1)]
    fill(context, photos, children={HANA: "Hana"})
    with context.database.begin() as transaction:
        same = {"child_id": child_id(FAMILY_ID, "Hana"), "probability": 1, "evidence": {}, "linked_at": START}
        transaction.execute(insert(links).values(family_id=FAMILY_ID, person_id=PERSONS[REN], **same))
    assert photos_in(context) == {"Hana": 2}


def test_a_photo_counts_once_and_provisionally_if_only_a_match_put_it_there(mori: Context) -> None:
    with mori.database.begin() as transaction:
        where = (assignments.c.person_id == PERSONS[REN]) & (assignments.c.family_id == FAMILY_ID)
        transaction.execute(update(assignments).where(where).values(state="provisional"))
    assert [(one.title, one.photos, one.provisional) for one in list_albums(mori)][:4] == [
        ("Hana", 19, 0), ("Ren", 2, 2), ("children together", 1, 1), ("whole family", 8, 0)
    ]  # fmt: skip


def test_families_without_photos_or_people_have_no_albums(context: Context) -> None:
    assert list_albums(context) == []
    with context.database.begin() as transaction:
        save_family(transaction, "Abe", now=context.clock())
    assert list_albums(context, "Abe") == []
    with pytest.raises(UnknownFamilyError, match="nobody"):
        list_albums(context, "nobody")


def test_an_album_of_thousands_of_photos_is_counted_once_each(context: Context) -> None:
    fill(context, [album((HANA,), week=0)], children={HANA: "Hana"})
    ids = [photo_id(FAMILY_ID, str(number)) for number in range(2000)]
    with context.database.begin() as transaction:
        for table, own in ((photos, {"photo_id"}), (faces, {"photo_id", "face_id"}), (assignments, {"face_id"})):
            row = transaction.execute(select(table)).one()._asdict()
            content = {"sha256"} & row.keys()
            transaction.execute(
                insert(table),
                [row | dict.fromkeys(own, one) | dict.fromkeys(content, one.bytes * 2) for one in ids],
            )
    assert photos_in(context) == {"Hana": 2001}


def test_highlights_of_a_child_show_it_and_those_of_the_family_any_child(mori: Context) -> None:
    march = Month(2026, 3)
    of_ren = pick_highlights(mori, FAMILY_ID, march, count=9, child=child_id(FAMILY_ID, "Ren"))
    assert {shot.photo_id for shot in of_ren} == {photo_id(FAMILY_ID, key) for key in ("08-0", "09-0")}
    everybody = pick_highlights(mori, FAMILY_ID, march, count=99)
    assert len(everybody) == sum(shot.taken_at.month == march.month for shot in SHOTS)
    hana, ren = child_id(FAMILY_ID, "Hana"), child_id(FAMILY_ID, "Ren")
    first = [{hana, ren}, {ren}, {hana, PERSONS[GUEST]}]
    assert {shot.company for shot in everybody[:3]} == {frozenset(who) for who in first}
    say(mori, GUEST, hidden=True)
    assert frozenset([hana]) in {shot.company for shot in pick_highlights(mori, FAMILY_ID, march, count=99)}


def test_every_album_becomes_a_folder_of_its_own(mori: Context, tmp_path: Path) -> None:
    say(mori, MOTHER, name="hana")
    say(mori, GUEST, name="Whole/Family")
    for shot in SHOTS:
        content = photo_id(FAMILY_ID, shot.key).bytes * 2
        mori.objects.put(original_key(FAMILY_ID, content), shot.key.encode())
    result = export_albums(mori, tmp_path)
    folders = {folder.name: len(list(folder.iterdir())) for folder in (tmp_path / FAMILY).iterdir()}
    assert folders == {
        "Hana": 19, "Ren": 2, "children together": 1, "whole family": 8, "hana 2": 8, "Whole_Family": 10
    }  # fmt: skip
    assert result.written == sum(folders.values())
    together = next((tmp_path / FAMILY / "children together").iterdir())
    assert (together.name[:15], together.read_bytes()) == ("2026-03-02 08-0", b"08-0")
