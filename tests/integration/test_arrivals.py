"""Photos come late, out of order and go again; whatever comes when, the albums end up right."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from facealbum.clustering import ClusteringParameters
from facealbum.domain.ids import FaceId
from facealbum.domain.months import Month
from facealbum.domain.photos import original_key
from facealbum.errors import InvalidValueError, UnknownFamilyError
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.families import forget_family
from facealbum.steps.match import match_family
from facealbum.steps.photos import forget_photo
from facealbum.storage import observations
from facealbum.storage.observations import load_arm, load_waiting
from facealbum.storage.schema import assignments, faces, persons, photos
from facealbum.storage.tables import metadata
from tests.integration.album import FAMILY, FAMILY_ID, Shot, add, shots

YEAR = Month(2026, 12)


def person_of(context: Context) -> dict[FaceId, object]:
    with context.database.begin() as transaction:
        return {FaceId(row.face_id): row.person_id for row in transaction.execute(select(assignments))}


def expect_one_person_each(context: Context, truth: Mapping[FaceId, int]) -> None:
    """Every face has a person, and persons and people are one to one."""
    found = person_of(context)
    people: dict[object, set[int]] = defaultdict(set)
    owners: dict[int, set[object]] = defaultdict(set)
    for face, real in truth.items():
        people[found[face]].add(real)
        owners[real].add(found[face])
    assert {len(some) for some in people.values()} | {len(some) for some in owners.values()} == {1}


def test_months_that_arrive_out_of_order_give_the_same_people(context: Context) -> None:
    months = [shots(months=3, a_month=8)[8 * month : 8 * month + 8] for month in range(3)]
    truth: dict[FaceId, int] = {}
    for month in (2, 0, 1):
        truth |= add(context, months[month])
        cluster_families(context, YEAR)
    expect_one_person_each(context, truth)


def test_a_photo_of_years_ago_joins_in_the_next_run(context: Context) -> None:
    truth = add(context, shots(months=2, a_month=8))
    cluster_families(context, YEAR)
    known = person_of(context)
    old = Shot("old", datetime(2019, 5, 5, tzinfo=UTC), (0, 1))
    truth |= add(context, [old])
    result = cluster_families(context, YEAR)
    assert [(str(run.month), run.attached) for run in result.runs] == [("2019-05", 2)]
    assert {face: person_of(context)[face] for face in known} == known
    expect_one_person_each(context, truth)


def test_a_late_photo_of_a_stranger_waits_and_founds_with_a_later_one(context: Context) -> None:
    early = Shot("early", datetime(2019, 5, 5, tzinfo=UTC), (2,))
    truth = add(context, [early])
    cluster_families(context, YEAR)
    assert person_of(context) == {}
    truth |= add(context, [Shot("late", datetime(2026, 5, 5, tzinfo=UTC), (2,))])
    assert [run.persons for run in cluster_families(context, YEAR).runs] == [1]
    expect_one_person_each(context, truth)


def test_a_past_month_run_again_changes_nothing_that_was_decided(context: Context) -> None:
    add(context, shots(months=3, a_month=8))
    cluster_families(context, YEAR)
    before = person_of(context)
    other = ArmPlan(clustering=ClusteringParameters(max_nodes=5))
    assert [str(run.month) for run in cluster_families(context, Month(2026, 1), arm=other).runs] == ["2026-01"]
    assert person_of(context) == before


def test_a_deleted_photo_leaves_nothing_and_everybody_else_in_place(context: Context) -> None:
    album = shots(months=2, a_month=8)
    add(context, album)
    cluster_families(context, YEAR)
    before = person_of(context)
    gone = next(shot for shot in album if len(shot.people) > 1)
    (file,) = put_files(context, [gone])
    with context.database.begin() as transaction:
        identity = transaction.execute(select(photos.c.photo_id).where(photos.c.key == gone.key)).scalar_one()
        its_faces = set(transaction.execute(select(faces.c.face_id).where(faces.c.photo_id == identity)).scalars())
    assert forget_photo(context, FAMILY, gone.key).persons == 0
    assert not context.objects.exists(file)
    cluster_families(context, YEAR)
    assert person_of(context) == {face: who for face, who in before.items() if face not in its_faces}
    with context.database.begin() as transaction:
        left = [t.name for t in metadata.tables.values() for column in ("photo_id", "face_id") if column in t.c
                and set(transaction.execute(select(t.c[column])).scalars()) & {identity, *its_faces}]  # fmt: skip
    assert not left


def test_a_person_goes_with_its_last_photo(context: Context) -> None:
    alone = [Shot(f"guest-{n}", datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=n), (3,)) for n in range(2)]
    add(context, [Shot(f"own-{n}", datetime(2026, 1, 9 + n, tzinfo=UTC), (0,)) for n in range(3)] + alone)
    cluster_families(context, YEAR)
    assert len(set(person_of(context).values())) == 2
    assert [forget_photo(context, FAMILY, shot.key).persons for shot in alone] == [0, 1]
    with context.database.begin() as transaction:
        assert len(transaction.execute(select(persons)).all()) == 1


def test_a_photo_uploaded_again_is_in_the_album_again(context: Context) -> None:
    album = shots(months=2, a_month=8)
    truth = add(context, album)
    cluster_families(context, YEAR)
    forget_photo(context, FAMILY, album[0].key)
    cluster_families(context, YEAR)
    later = replace(context, clock=lambda: context.clock() + timedelta(hours=1))
    add(later, [album[0]])
    match_family(later, FAMILY_ID)
    expect_one_person_each(context, truth)


def test_the_month_of_a_photo_uploaded_again_runs_again_once(context: Context) -> None:
    album = shots(months=2, a_month=8)
    truth = add(context, album)
    cluster_families(context, YEAR)
    forget_photo(context, FAMILY, album[0].key)
    later = replace(context, clock=lambda: context.clock() + timedelta(hours=1))
    add(later, [album[0]])
    assert [str(run.month) for run in cluster_families(later, YEAR).runs] == ["2026-01"]
    expect_one_person_each(context, truth)
    assert cluster_families(later, YEAR).runs == []


def test_what_is_not_there_is_not_deleted(context: Context) -> None:
    add(context, shots(months=1, a_month=2))
    with pytest.raises(InvalidValueError, match="nothing was deleted"):
        forget_photo(context, FAMILY, "nowhere.jpg")
    with pytest.raises(UnknownFamilyError):
        forget_photo(context, "nobody", "nowhere.jpg")


def test_a_deleted_family_is_done_at_once_and_starts_afresh(context: Context) -> None:
    album = shots(months=2, a_month=8)
    truth = add(context, album)
    cluster_families(context, Month(2026, 1))
    forget_family(context, FAMILY)
    assert cluster_families(context, YEAR).runs == []
    assert match_family(context, FAMILY_ID).faces == 0
    add(context, album)
    cluster_families(context, YEAR)
    expect_one_person_each(context, truth)


def test_no_face_waits_for_ever_however_many_there_are(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    add(
        context,
        [Shot("own", datetime(2019, 1, 1, tzinfo=UTC), (0,)), Shot("two", datetime(2019, 1, 2, tzinfo=UTC), (0,))],
    )
    cluster_families(context, YEAR)
    monkeypatch.setattr(observations, "_WAITING_FACES", 10)
    add(context, [Shot(f"{n:03d}", datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=n), (1,)) for n in range(100)])
    with context.database.begin() as transaction:
        arm = load_arm(transaction, "default")
        assert arm is not None
        seen: set[FaceId] = set()
        for month in Month(2021, 1).through(Month(2025, 12)):
            waiting = load_waiting(transaction, FAMILY_ID, arm, before=month.next().start())
            assert len(waiting) <= 10
            seen |= {face.face_id for face in waiting}
        assert len(seen) == 100
        own = load_waiting(transaction, FAMILY_ID, arm, before=datetime(2020, 2, 1, tzinfo=UTC))
    assert len(own) == 31


def put_files(context: Context, some: list[Shot]) -> list[str]:
    """The stored files of these photos."""
    with context.database.begin() as transaction:
        query = select(photos.c.sha256).where(photos.c.key.in_([shot.key for shot in some]))
        keys = [original_key(FAMILY_ID, bytes(content)) for content in transaction.execute(query).scalars()]
    for key in keys:
        context.objects.put(key, b"a picture")
    return keys
