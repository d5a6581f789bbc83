"""Another detector finds a photo's faces anew, under other ids; persons and users' decisions go on with them."""

from collections.abc import Collection
from dataclasses import replace

import pytest
from sqlalchemy import or_, select

from facealbum.domain.decisions import Kind
from facealbum.domain.faces import Box, Face
from facealbum.domain.ids import FaceId, PersonId, face_id, photo_id
from facealbum.domain.months import Month
from facealbum.domain.people import Gender
from facealbum.domain.photos import AnalysedPhoto
from facealbum.errors import UndoError
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide, list_decisions, list_faces, list_persons, undo
from facealbum.steps.embedders import default_models
from facealbum.steps.explain import explain_photo
from facealbum.storage.analyses import ensure_analyzer, save_analysis
from facealbum.storage.decisions import load_words
from facealbum.storage.schema import assignments, decisions, faces, links, persons
from tests.integration.album import FAMILY, FAMILY_ID, Shot, add, draw_face, shots

YEAR = Month(2026, 12)
SHOTS = shots(months=2, a_month=10)
FIRST, SECOND = default_models().versions["detector"], "second"


@pytest.fixture
def clustered(context: Context) -> None:
    """Two clustered months of four people, under two arms."""
    add(context, SHOTS)
    cluster_families(context, YEAR)
    cluster_families(context, YEAR, arm=ArmPlan(name="shadow", algorithm="hdbscan"))


def analyse_again(context: Context, detector: str, *, missing: Collection[FaceId] = ()) -> dict[FaceId, FaceId]:
    """Find all faces with this detector, in another order than the other one; tells which id became which.

    missing: faces, by their ids of the other detector, that this one does not find.
    """
    before = FIRST if detector == SECOND else SECOND
    models, became = default_models(), {}
    with context.database.begin() as transaction:
        analyzer = ensure_analyzer(transaction, {**models.versions, "detector": detector}, models.space)
        for shot in SHOTS:
            photo, found = photo_id(FAMILY_ID, shot.key), []
            for number, face in ordered(shot, before):
                if face_id(photo, before, number) not in missing:
                    became[face_id(photo, before, number)] = face_id(photo, detector, len(found))
                    found.append(face)
            analysed = AnalysedPhoto(FAMILY_ID, photo, "JPEG", 800, 600, None, found)
            save_analysis(transaction, analysed, analyzer, now=context.clock())
    return became


def ordered(shot: Shot, detector: str) -> list[tuple[int, Face]]:
    """The other detector's order is this one's turned round; both have their own idea of how large a face is."""
    drawn = [draw_face(FAMILY_ID, shot.key, number, person) for number, person in enumerate(shot.people)]
    drawn = drawn if detector == FIRST else drawn[::-1]
    grown = [replace(face, box=Box(face.box.x1 - 10, 30, face.box.x2 + 10, 205)) for face in drawn]
    return list(enumerate(grown if detector == FIRST else drawn))[::-1]


def state(context: Context) -> dict[str, set[str]]:
    """Every row that decisions may change, and they themselves, but for what the new analysis has measured."""
    said = (faces.c.excluded, faces.c.told_age.is_not(None), faces.c.told_p_female.is_not(None))
    told = select(faces.c.face_id, faces.c.excluded, faces.c.told_age, faces.c.told_p_female).where(or_(*said))
    with context.database.begin() as transaction:
        rows = {table.name: transaction.execute(select(table)) for table in (assignments, persons, links, decisions)}
        return {name: set(map(str, of)) for name, of in {**rows, "told": transaction.execute(told)}.items()}


def held(context: Context) -> dict[FaceId, PersonId]:
    people = [one.person_id for one in list_persons(context, FAMILY)]
    return {one.face_id: who for who in people for one in list_faces(context, FAMILY, str(who))}


def say(context: Context, kind: Kind, *some: FaceId, **parts: object) -> int:
    told = {key: value if isinstance(value, float | Gender) else str(value) for key, value in parts.items()}
    return decide(context, FAMILY, Said(kind, tuple(map(str, some)), **told), author="ann").number


@pytest.mark.usefixtures("clustered")
def test_decisions_and_persons_hold_through_another_detector_and_a_run(context: Context) -> None:
    untouched = state(context)
    first, second, third, *_ = [one.person_id for one in list_persons(context, FAMILY)]
    a, b, c, d, e, *_ = [one.face_id for one in list_faces(context, FAMILY, str(first))]
    (other, *_) = [one.face_id for one in list_faces(context, FAMILY, str(second))]
    told = [
        say(context, Kind.NAME, person=second, name="Hana"),
        say(context, Kind.REJECT, a, person=first),
        say(context, Kind.MOVE, b, person=first, other=second),
        say(context, Kind.NOT_A_FACE, c),
        say(context, Kind.SPLIT, d, person=first),
        say(context, Kind.SAME, e, other),
        say(context, Kind.MERGE, person=third, other=second),
        say(context, Kind.AGE, a, age=0.5),
        say(context, Kind.GENDER, a, gender=Gender.MALE),
        say(context, Kind.AGE, e),
    ]
    before, words = held(context), state(context)["told"]
    became = analyse_again(context, SECOND)
    assert len(state(context)["told"]) == len(words) == 3
    assert set(became).isdisjoint(became.values())
    assert held(context) == {became[face]: who for face, who in before.items()}
    ran = cluster_families(context, YEAR).runs
    assert [str(run.month) for run in ran] == ["2026-01", "2026-02"]
    now = held(context)
    assert {face: now[became[face]] for face in before} == before
    assert now.get(became[a]) != first
    assert became[c] not in now
    assert all(one.faces_gone == 0 and one.holds for one in list_decisions(context, FAMILY))
    analyse_again(context, FIRST)
    assert {face: held(context)[face] for face in before} == before
    assert state(context)["told"] == words
    for number in reversed(told):
        undo(context, FAMILY, number, author="ann")
    back = state(context)
    assert [back[name] for name in ("assignments", "links", "told")] == [
        untouched[name] for name in ("assignments", "links", "told")
    ]
    assert untouched["persons"] <= back["persons"]


@pytest.mark.usefixtures("clustered")
def test_finding_the_same_faces_twice_over_leaves_every_row_as_it_was(context: Context) -> None:
    (first, second, *_) = [one.person_id for one in list_persons(context, FAMILY)]
    a, b, *_ = [one.face_id for one in list_faces(context, FAMILY, str(first))]
    say(context, Kind.MOVE, a, person=first, other=second)
    say(context, Kind.NOT_A_FACE, b)
    before = state(context)
    analyse_again(context, SECOND)
    assert state(context) != before
    analyse_again(context, FIRST)
    assert state(context) == before


@pytest.mark.usefixtures("clustered")
def test_a_decision_on_a_face_that_no_detector_finds_stays_on_record_and_says_so(context: Context) -> None:
    first, *_ = [one.person_id for one in list_persons(context, FAMILY)]
    a, b, c, *_ = [one.face_id for one in list_faces(context, FAMILY, str(first))]
    say(context, Kind.REJECT, a, person=first)
    say(context, Kind.CONFIRM, b, c, person=first)
    became = analyse_again(context, SECOND, missing=[a, b])
    over, partly = list_decisions(context, FAMILY)
    assert (over.faces, over.faces_gone, over.holds) == ((a,), 1, False)
    assert (partly.faces, partly.faces_gone, partly.holds) == ((b, became[c]), 1, True)
    with pytest.raises(UndoError, match="its faces are gone"):
        undo(context, FAMILY, 1, author="ann")
    cluster_families(context, YEAR)
    assert held(context)[became[c]] == first
    analyse_again(context, FIRST)
    assert [one.holds for one in list_decisions(context, FAMILY)] == [True, True]
    with context.database.begin() as transaction:
        words = load_words(transaction, FAMILY_ID, 1).ledger
    assert words.persons_of([a]) == [(first, False)]


@pytest.mark.usefixtures("clustered")
def test_a_face_that_is_lost_and_found_again_is_what_users_said_of_it_and_undoing_still_restores(
    context: Context,
) -> None:
    first, *_ = [one.person_id for one in list_persons(context, FAMILY)]
    a, b, c, *_ = [one.face_id for one in list_faces(context, FAMILY, str(first))]
    say(context, Kind.NOT_A_FACE, a)
    say(context, Kind.AGE, b, age=0.5)
    say(context, Kind.AGE, b, age=1.5)
    undone = say(context, Kind.GENDER, c, gender=Gender.MALE)
    undo(context, FAMILY, undone, author="ann")
    told = state(context)["told"]
    analyse_again(context, SECOND, missing=[a, b, c])
    assert state(context)["told"] == set()
    analyse_again(context, FIRST)
    assert state(context)["told"] == told
    assert len(told) == 2
    undo(context, FAMILY, 3, author="ann")
    undo(context, FAMILY, 2, author="ann")
    undo(context, FAMILY, 1, author="ann")
    assert state(context)["told"] == set()


@pytest.mark.usefixtures("clustered")
def test_a_person_that_the_run_gave_is_not_explained_as_a_users_word(context: Context) -> None:
    analyse_again(context, SECOND)
    (shown, *_) = explain_photo(context, SHOTS[0].key, family=FAMILY)
    assert shown.person is not None
    assert "user" not in shown.why
    assert "analysed again" in shown.why
