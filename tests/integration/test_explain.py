"""Why a face is where it is, told from what runs have kept."""

import pytest
from sqlalchemy import select

from facealbum.domain.decisions import Kind
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError, UnknownFamilyError
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide
from facealbum.steps.explain import explain_photo
from facealbum.steps.match import match_family
from facealbum.storage.schema import assignments
from tests.integration.album import FAMILY, FAMILY_ID, Shot, add, shots

YEAR = Month(2026, 12)


def test_every_face_of_a_photo_is_explained(context: Context) -> None:
    photos = shots(months=2, a_month=8)
    add(context, photos)
    cluster_families(context, YEAR)
    told = {shot.key: explain_photo(context, shot.key, family=FAMILY) for shot in photos}
    assert [len(told[shot.key]) for shot in photos] == [len(shot.people) for shot in photos]
    assert any(face.why.startswith("a new person with") for face in told[photos[0].key])


def test_a_face_that_no_run_has_seen_says_so(context: Context) -> None:
    photos = shots(months=2, a_month=8)
    add(context, photos[:8])
    cluster_families(context, Month(2026, 1))
    add(context, photos[8:])
    match_family(context, FAMILY_ID)
    told = [face for shot in photos[8:] for face in explain_photo(context, shot.key, family=FAMILY)]
    assert {face.why for face in told} == {"no monthly run has looked at it yet"}
    assert any(face.provisional and face.person for face in told)


def test_a_waiting_face_tells_what_the_last_run_said(context: Context) -> None:
    photos = shots(months=1, a_month=8)
    alone = Shot("alone", photos[0].taken_at, (77,))
    add(context, [*photos, alone])
    cluster_families(context, YEAR)
    (face,) = explain_photo(context, "alone", family=FAMILY)
    assert face.person is None
    assert face.why.startswith("waits: nobody is near enough; next best")


def test_a_face_that_a_user_took_away_from_its_person_says_so(context: Context) -> None:
    photos = shots(months=1, a_month=8)
    add(context, photos)
    cluster_families(context, YEAR)
    (face, *_) = explain_photo(context, photos[0].key, family=FAMILY)
    with context.database.begin() as transaction:
        whose = select(assignments.c.person_id).where(assignments.c.face_id == face.face_id)
        person = str(transaction.execute(whose).scalar_one())
    decide(context, FAMILY, Said(Kind.REJECT, faces=(str(face.face_id),), person=person), author="ann")
    (after, *_) = explain_photo(context, photos[0].key, family=FAMILY)
    assert after.person is None
    assert after.why.endswith("a user's word has taken it away since, and it waits for the next run")


def test_a_photo_or_family_that_is_not_there_is_named(context: Context) -> None:
    add(context, shots(months=1, a_month=2))
    with pytest.raises(InvalidValueError, match=r"expected a photo of family 'Mori' with faces, got 'nothing\.jpg'"):
        explain_photo(context, "nothing.jpg", family=FAMILY)
    with pytest.raises(UnknownFamilyError):
        explain_photo(context, "nothing.jpg", family="Abe")
