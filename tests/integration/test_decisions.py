"""Decisions of users, written to the database: they hold at once, through every run, and can be undone."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update
from typer.testing import CliRunner

from facealbum.cli.commands import app
from facealbum.corrections import Request
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import FaceId, PersonId, child_id, family_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.errors import (
    ChangedMeanwhileError,
    InvalidValueError,
    UndoError,
    UnknownChildError,
    UnknownDecisionError,
    UnknownFaceError,
    UnknownFamilyError,
    UnknownPersonError,
)
from facealbum.steps.albums import list_albums
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import (
    Moved,
    Said,
    decide,
    decide_by_ids,
    list_decisions,
    list_faces,
    list_persons,
    undo,
    undo_by_id,
)
from facealbum.steps.explain import explain_photo
from facealbum.steps.export import export_faces
from facealbum.steps.report import write_report
from facealbum.storage.families import save_child
from facealbum.storage.observations import load_arm, load_evidence
from facealbum.storage.schema import (
    arms,
    assignments,
    breakage,
    face_embeddings,
    faces,
    links,
    persons,
    photos,
    plans,
    runs,
)
from facealbum.storage.seen import Seen, SeenPerson
from tests.conftest import NOW
from tests.integration.album import FAMILY, FAMILY_ID, add, shots

YEAR = Month(2026, 12)
HANA = Child(child_id(FAMILY_ID, "Hana"), "Hana", date(2022, 1, 1), Gender.UNKNOWN)
SHADOW = ArmPlan(name="shadow", algorithm="hdbscan")


@pytest.fixture
def clustered(context: Context) -> None:
    """Two clustered months of four people."""
    add(context, shots(months=2, a_month=10))
    cluster_families(context, YEAR)


def held(context: Context, arm: str = "default") -> dict[FaceId, PersonId]:
    query = (
        select(assignments.c.face_id, assignments.c.person_id)
        .join(arms, arms.c.arm_id == assignments.c.arm_id)
        .where(arms.c.name == arm)
    )
    with context.database.begin() as transaction:
        return {FaceId(row.face_id): PersonId(row.person_id) for row in transaction.execute(query)}


def rows(context: Context) -> dict[str, list[str]]:
    """Every row that decisions may change."""
    with context.database.begin() as transaction:
        return {
            table.name: sorted(str(row) for row in transaction.execute(select(table)))
            for table in (assignments, persons, links, faces)
        }


def say(context: Context, kind: Kind, *some: FaceId, **parts: object) -> int:
    told = {key: value if value is None or key in {"age", "gender"} else str(value) for key, value in parts.items()}
    return decide(context, FAMILY, Said(kind, tuple(map(str, some)), **told), author="ann").number


def faces_of(context: Context, person: PersonId) -> list[FaceId]:
    return [one.face_id for one in list_faces(context, FAMILY, str(person))]


@pytest.mark.usefixtures("clustered")
def test_every_kind_is_recorded_holds_through_a_run_and_is_undone(context: Context) -> None:
    with context.database.begin() as transaction:
        save_child(transaction, FAMILY_ID, HANA, now=context.clock())
    cluster_families(context, YEAR)
    before = rows(context)
    first, second, third, *_ = [one.person_id for one in list_persons(context, FAMILY)]
    a, b, c, d, *_ = faces_of(context, first)
    told = [
        say(context, Kind.NAME, person=second, name="Hana"),
        say(context, Kind.LINK, person=second, child="Hana"),
        say(context, Kind.UNLINK, person=first, child="Hana"),
        say(context, Kind.HIDE, person=third),
        say(context, Kind.REJECT, a, person=first),
        say(context, Kind.NOT_A_FACE, b),
        say(context, Kind.SPLIT, c, d, person=first),
        say(context, Kind.DIFFERENT, person=first, other=second),
        say(context, Kind.MERGE, person=third, other=second),
        say(context, Kind.AGE, c, age=2.5),
        say(context, Kind.GENDER, c, gender=Gender.FEMALE),
    ]
    after = rows(context)
    cluster_families(context, YEAR)
    now = held(context)
    assert now.get(a) != first
    assert b not in now
    assert now[c] == now[d] not in (first, second, third)
    assert third not in now.values()
    assert [(one.name, one.child) for one in list_persons(context, FAMILY) if one.person_id == second] == [
        ("Hana", "Hana")
    ]
    assert after != before
    assert [one.kind for one in list_decisions(context, FAMILY)] == [
        "name", "link", "unlink", "hide", "reject", "not_a_face", "split", "different", "merge",
        "age", "gender",
    ]  # fmt: skip
    for number in reversed(told):
        undo(context, FAMILY, number, author="ben")
    assert {one.undone_by for one in list_decisions(context, FAMILY)} == {"ben"}
    assert {face: held(context)[face] for face in (a, b, c, d)} == dict.fromkeys((a, b, c, d), first)


@pytest.mark.usefixtures("clustered")
def test_undoing_without_a_run_between_restores_every_row(context: Context) -> None:
    before = rows(context)
    first, second, third, *_ = [one.person_id for one in list_persons(context, FAMILY)]
    a, b, *_ = faces_of(context, first)
    told = [
        say(context, Kind.MOVE, a, person=first, other=second),
        say(context, Kind.SPLIT, b, person=first),
        say(context, Kind.MERGE, person=third, other=second),
    ]
    assert rows(context) != before
    for number in reversed(told):
        undo(context, FAMILY, number, author="ann")
    assert rows(context) == before


@pytest.mark.usefixtures("clustered")
def test_decisions_hold_under_an_arm_that_runs_later(context: Context) -> None:
    first, second, *_ = [one.person_id for one in list_persons(context, FAMILY)]
    a, b, c, *_ = faces_of(context, first)
    say(context, Kind.NAME, person=first, name="Hana")
    say(context, Kind.MOVE, a, person=first, other=second)
    say(context, Kind.SPLIT, b, c, person=first)
    say(context, Kind.NOT_A_FACE, faces_of(context, second)[-1])
    cluster_families(context, YEAR, arm=SHADOW)
    there = held(context, "shadow")
    assert there[a] != there[faces_of(context, first)[0]]
    assert there[a] in {there.get(face) for face in faces_of(context, second) if face != a}
    assert there.get(b) == there.get(c) != there[faces_of(context, first)[0]]
    with context.database.begin() as transaction:
        names = {row.person_id: row.name for row in transaction.execute(select(persons))}
    assert names[there[faces_of(context, first)[0]]] == "Hana"


@pytest.mark.usefixtures("clustered")
def test_a_waiting_face_that_a_user_confirmed_is_never_lost(context: Context) -> None:
    (person, *_) = [one.person_id for one in list_persons(context, FAMILY)]
    add(context, [replace(shots(months=1, a_month=1)[0], key="new", people=(9,))])
    (face,) = [one.face_id for one in list_faces(context, FAMILY) if one.photo == "new"]
    with context.database.begin() as transaction:
        transaction.execute(delete(face_embeddings).where(face_embeddings.c.face_id == face))
    say(context, Kind.CONFIRM, face, person=person)
    cluster_families(context, YEAR)
    assert held(context)[face] == person


@pytest.mark.usefixtures("clustered")
def test_a_decision_has_its_months_run_again_and_no_others(context: Context) -> None:
    (person, *_) = [one.person_id for one in list_persons(context, FAMILY)]
    january = next(one.face_id for one in list_faces(context, FAMILY, str(person)) if one.taken_at.month == 1)
    say(context, Kind.REJECT, january, person=person)
    assert [str(run.month) for run in cluster_families(context, YEAR).runs] == ["2026-01"]
    assert cluster_families(context, YEAR).runs == []


def broken(context: Context) -> list[tuple[object, ...]]:
    """What became of each label in the newest run."""
    newest = select(runs.c.run_id).order_by(runs.c.started_at.desc(), runs.c.run_id).limit(1).scalar_subquery()
    columns = [column for column in breakage.c if column.name != "run_id"]
    query = select(*columns).where(breakage.c.run_id == newest).order_by(breakage.c.person_id)
    with context.database.begin() as transaction:
        return [tuple(row) for row in transaction.execute(query)]


def name_and_run(context: Context, name: str, *, minutes: int) -> list[tuple[object, ...]]:
    """A run that a new name for somebody brings about, so many minutes later, and what became of each label in it."""
    later = replace(context, clock=lambda: NOW + timedelta(minutes=minutes))
    say(later, Kind.NAME, person=min(held(later).values()), name=name)
    assert len(cluster_families(later, YEAR).runs) == 1
    return broken(later)


@pytest.mark.usefixtures("clustered")
def test_a_name_does_not_have_the_unpinned_clustering_made_again(context: Context) -> None:
    made = name_and_run(context, "Ann", minutes=1)
    with context.database.begin() as transaction:
        transaction.execute(update(plans).values(unpinned_digest=None))
    assert name_and_run(context, "Bea", minutes=2) == made
    assert name_and_run(context, "Cho", minutes=3) == made
    with context.database.begin() as transaction:  # as it was kept: nobody in any cluster
        nowhere = func.decode(func.repeat("ff", func.length(plans.c.unpinned)), "hex")
        transaction.execute(update(plans).values(unpinned=nowhere))
    kept = name_and_run(context, "Dai", minutes=4)
    assert len(kept) == len(made) > 0
    assert kept != made


@pytest.mark.usefixtures("clustered")
def test_decisions_end_with_the_photos_they_are_about(context: Context) -> None:
    (person, *_) = [one.person_id for one in list_persons(context, FAMILY)]
    face, *_ = faces_of(context, person)
    number = say(context, Kind.REJECT, face, person=person)
    with context.database.begin() as transaction:
        photo = select(faces.c.photo_id).where(faces.c.face_id == face)
        transaction.execute(delete(photos).where(photos.c.photo_id.in_(photo)))
    assert [(one.holds, one.faces_gone) for one in list_decisions(context, FAMILY)] == [(False, 1)]
    with pytest.raises(UndoError, match="its faces are gone"):
        undo(context, FAMILY, number, author="ann")
    cluster_families(context, YEAR)


@pytest.mark.usefixtures("clustered")
def test_ids_may_be_cut_short_while_one_only_begins_so(context: Context) -> None:
    (person, *_) = [one.person_id for one in list_persons(context, FAMILY)]
    face, *_ = faces_of(context, person)
    decide(context, FAMILY, Said(Kind.REJECT, (str(face)[:12],), str(person)[:12]), author="ann")
    assert face not in held(context)
    with pytest.raises(InvalidValueError, match="more than one face"):
        decide(context, FAMILY, Said(Kind.NOT_A_FACE, ("",)), author="ann")
    with pytest.raises(InvalidValueError, match="no person"):
        decide(context, FAMILY, Said(Kind.HIDE, person="xyz"), author="ann")


def test_before_the_first_run_there_is_nothing_to_correct(context: Context) -> None:
    add(context, shots(months=1, a_month=1))
    with pytest.raises(InvalidValueError, match="facealbum cluster"):
        decide(context, FAMILY, Said(Kind.HIDE, person="a"), author="ann")


@pytest.mark.usefixtures("clustered")
def test_linking_keeps_to_what_users_said_of_children(context: Context) -> None:
    with context.database.begin() as transaction:
        save_child(transaction, FAMILY_ID, HANA, now=context.clock())
    cluster_families(context, YEAR)
    (hana,) = [one.person_id for one in list_persons(context, FAMILY) if one.child]
    other = next(one.person_id for one in list_persons(context, FAMILY) if one.person_id != hana)
    say(context, Kind.UNLINK, person=hana, child="Hana")
    say(context, Kind.LINK, person=other, child="Hana")
    cluster_families(context, YEAR)
    assert [one.person_id for one in list_persons(context, FAMILY) if one.child] == [other]


@pytest.mark.usefixtures("clustered")
def test_the_command_line_shows_decides_and_undoes(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def here() -> Iterator[Context]:
        yield context

    monkeypatch.setattr("facealbum.cli.decisions.open_world", here)

    def run(*words: str) -> object:
        result = CliRunner().invoke(app, [*words, "--family", FAMILY, "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.output)

    before = run("persons", "list")
    person = before[0]["person_id"]
    face = run("persons", "faces", person[:8])[0]["face_id"]
    assert run("decide", "reject", "--face", face[:12], "--person", person[:12])["faces_left"] == 1
    assert face in [one["face_id"] for one in run("persons", "faces")]
    photo = run("persons", "faces")[0]["photo"]
    others = [one for one in run("persons", "faces", "--photo", photo) if one["person_id"]]
    assert [one["face_id"] for one in run("persons", "faces", "--photo", photo)].count(face) == 1
    assert all(one["photo"] == photo for one in others)
    assert [one["kind"] for one in run("decisions", "list")] == ["reject"]
    run("decisions", "undo", "1")
    assert run("persons", "list") == before


@pytest.mark.usefixtures("clustered")
def test_what_users_say_of_age_and_gender_is_in_evidence_exports_reports_and_explanations(
    context: Context, tmp_path: Path
) -> None:
    (person, *_) = [one.person_id for one in list_persons(context, FAMILY)]
    a, b, *_ = faces_of(context, person)
    photo = next(one.photo for one in list_faces(context, FAMILY, str(person)) if one.face_id == a)
    say(context, Kind.AGE, a, age=0.0)
    say(context, Kind.GENDER, a, gender=Gender.MALE)
    say(context, Kind.AGE, b)
    say(context, Kind.GENDER, b)
    with context.database.begin() as transaction:
        arm = load_arm(transaction, "default")
        assert arm is not None
        evidence = next(one for one in load_evidence(transaction, FAMILY_ID, arm) if one.person_id == person).faces
    assert [(one.age, one.p_female) for one in evidence if one.told_age and one.told_female] == [
        (0.0, 0.0),
        (None, None),
    ]
    export_faces(context, tmp_path / "faces.csv")
    with (tmp_path / "faces.csv").open(encoding="utf-8") as file:
        told = [(row["age"], row["p_female"]) for row in csv.DictReader(file)]
    assert {("0.00", "0.0000"), ("", "")} <= set(told)
    (why,) = [one.why for one in explain_photo(context, photo, family=FAMILY) if one.face_id == a]
    assert why.endswith("a user said that it is 0 years old; a user said that it is male")
    write_report(context, tmp_path / "page.html")
    assert len(cluster_families(context, YEAR).runs) == 1
    for number in (1, 2, 3, 4):
        undo(context, FAMILY, number, author="ann")
    with context.database.begin() as transaction:
        evidence = next(one for one in load_evidence(transaction, FAMILY_ID, arm) if one.person_id == person).faces
    assert not any(one.told_age or one.told_female for one in evidence)


@pytest.mark.usefixtures("clustered")
def test_hidden_people_and_what_is_no_face_are_in_no_album_export_or_report(context: Context, tmp_path: Path) -> None:
    first, second, *_ = [one.person_id for one in list_persons(context, FAMILY)]
    none, photo = next((one.face_id, one.photo) for one in list_faces(context, FAMILY, str(second)))
    say(context, Kind.HIDE, person=first)
    say(context, Kind.NAME, person=first, name="Secret")
    say(context, Kind.NOT_A_FACE, none)
    cluster_families(context, YEAR)
    assert "Secret" not in {album.title for album in list_albums(context)}
    export_faces(context, tmp_path / "faces.csv")
    with (tmp_path / "faces.csv").open(encoding="utf-8") as file:
        told = list(csv.DictReader(file))
    with context.database.begin() as transaction:
        all_faces = transaction.execute(select(func.count()).select_from(faces)).scalar_one()
    assert len(told) == all_faces - len(faces_of(context, first)) - 1
    assert str(first) not in {row["person"] for row in told}
    page = write_report(context, tmp_path / "page.html")
    assert (page.faces, page.persons) == (len(told), len({row["person"] for row in told} - {""}))
    assert none not in {one.face_id for one in list_faces(context, FAMILY)}
    assert [one.why for one in explain_photo(context, photo, family=FAMILY) if one.face_id == none] == [
        "a user said that this is no face"
    ]
    assert [one.name for one in list_persons(context, FAMILY) if one.hidden] == ["Secret"]


@pytest.mark.usefixtures("clustered")
def test_a_decision_about_what_changed_meanwhile_is_refused_and_changes_nothing(context: Context) -> None:
    first, second, *_ = [one.person_id for one in list_persons(context, FAMILY)]
    a, b, *_ = faces_of(context, first)
    seen = Seen({a: first, b: first}, {first: SeenPerson(), second: SeenPerson()})
    reject = Request(Kind.REJECT, (a,), first)
    moved = decide_by_ids(context, FAMILY_ID, reject, author="ann", seen=seen).moved
    assert moved == (Moved(a, first, None),)
    before = rows(context)
    for kind, about in ((Kind.MOVE, {"person": first, "other": second}), (Kind.CONFIRM, {"person": second})):
        with pytest.raises(ChangedMeanwhileError) as refused:
            decide_by_ids(context, FAMILY_ID, Request(kind, (a,), **about), author="ben", seen=seen)
        assert refused.value.current["faces"] == {str(a): None, str(b): str(first)}
    assert rows(context) == before
    assert undo_by_id(context, FAMILY_ID, 1, author="ben").moved == (Moved(a, None, first),)
    decide_by_ids(context, FAMILY_ID, Request(Kind.NAME, person=first, name="Hana"), author="ann", seen=seen)
    with pytest.raises(ChangedMeanwhileError, match="current"):
        decide_by_ids(context, FAMILY_ID, Request(Kind.HIDE, person=first), author="ben", seen=seen)
    assert list_decisions(context, FAMILY)[-1].kind == "name"


@pytest.mark.usefixtures("clustered")
def test_what_another_family_has_is_not_there(context: Context) -> None:
    add(context, shots(months=1, a_month=5), family="Tanaka")
    cluster_families(context, YEAR)
    who = list_persons(context, "Tanaka")[0].person_id
    theirs = list_faces(context, "Tanaka", str(who))
    ours = list_persons(context, FAMILY)[0].person_id
    for request, error in (
        (Request(Kind.CONFIRM, (theirs[0].face_id,), ours), UnknownFaceError),
        (Request(Kind.HIDE, person=who), UnknownPersonError),
        (Request(Kind.LINK, person=ours, child=HANA.child_id), UnknownChildError),
    ):
        with pytest.raises(error):
            decide_by_ids(context, FAMILY_ID, request, author="ann")
    with pytest.raises(UnknownDecisionError):
        undo_by_id(context, FAMILY_ID, 1, author="ann")
    with pytest.raises(UnknownFamilyError):
        undo_by_id(context, family_id("nobody"), 1, author="ann")
