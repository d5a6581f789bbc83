"""Correcting an album over HTTP; each test talks to the whole application."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from facealbum.domain.decisions import Kind
from facealbum.domain.ids import PersonId, child_id
from facealbum.domain.people import Child, Gender
from facealbum.steps.correct import list_faces, list_persons
from facealbum.storage.families import save_child
from facealbum.storage.runs import lock_family
from tests.integration.album import FAMILY, FAMILY_ID
from tests.integration.web_album import NOW, album_client, at

DECISIONS = f"/v1/families/{FAMILY_ID}/decisions"


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    with album_client(database_url, tmp_path) as opened:
        yield opened


def persons(client: TestClient) -> list[str]:
    """Those with most faces first."""
    return [str(one.person_id) for one in list_persons(at(client, NOW), FAMILY)]


def faces(client: TestClient, person: str | None) -> list[str]:
    return [str(one.face_id) for one in list_faces(at(client, NOW), FAMILY, person)]


def say(client: TestClient, kind: str, status: int = 201, **parts: Any) -> Any:  # noqa: ANN401 - JSON
    answer = client.post(DECISIONS, json={"kind": kind, **parts})
    assert answer.status_code == status, answer.text
    return answer.json()


def take_back(client: TestClient, number: int, status: int = 200) -> Any:  # noqa: ANN401 - JSON
    answer = client.delete(f"{DECISIONS}/{number}")
    assert answer.status_code == status, answer.text
    return answer.json()


def test_every_kind_is_said_shown_and_taken_back(client: TestClient) -> None:
    child = register(client)
    first, second, third, *_ = persons(client)
    a, b, c, d, e, f, *_ = faces(client, first)
    said: list[tuple[Kind, Mapping[str, Any]]] = [
        (Kind.CONFIRM, {"faces": [a], "person": first}),
        (Kind.REJECT, {"faces": [b], "person": first}),
        (Kind.MOVE, {"faces": [c], "person": first, "other": second}),
        (Kind.SPLIT, {"faces": [d], "person": first}),
        (Kind.SAME, {"faces": [e, f]}),
        (Kind.DIFFERENT, {"person": first, "other": second}),
        (Kind.MERGE, {"person": third, "other": second}),
        (Kind.LINK, {"person": first, "child": child}),
        (Kind.UNLINK, {"person": second, "child": child}),
        (Kind.NAME, {"person": first, "name": "はな\u3000"}),
        (Kind.HIDE, {"person": first}),
        (Kind.UNHIDE, {"person": first}),
        (Kind.AGE, {"faces": [a], "age": 0}),
        (Kind.GENDER, {"faces": [a]}),
        (Kind.NOT_A_FACE, {"faces": [e]}),
    ]
    assert {kind for kind, _ in said} == set(Kind)
    before = {who: faces(client, who) for who in (first, second, third)}
    told = [say(client, kind, **parts) for kind, parts in said]
    assert {"face_id": c, "before": first, "after": second} in told[2]["moved"]
    assert {one["author"] for one in told} == {"token tests"}
    assert faces(client, told[3]["new_person"]) == [d]
    assert c in faces(client, second)
    listed = client.get(DECISIONS, params={"limit": 10}).json()
    rest = client.get(DECISIONS, params={"after": listed["next"]}).json()
    assert [one["number"] for one in listed["items"] + rest["items"]] == list(range(15, 0, -1))
    assert rest["next"] is None
    whole = client.get(f"{DECISIONS}/10").json()
    assert [(row["before"]["name"], row["after"]["name"]) for row in whole["rows"]] == [(None, "はな\u3000")]
    for one in reversed(told):
        gone = take_back(client, one["number"])
        assert (gone["undone_by"], gone["holds"]) == ("token tests", False)
        back = [{"face_id": x["face_id"], "before": x["after"], "after": x["before"]} for x in one["moved"]]
        assert gone["moved"] == back
    assert {who: faces(client, who) for who in before} == before


def register(client: TestClient) -> str:
    """A child that fits nobody."""
    child = Child(child_id(FAMILY_ID, "Hana"), "Hana", date(1900, 1, 1), Gender.UNKNOWN)
    with at(client, NOW).database.begin() as transaction:
        save_child(transaction, FAMILY_ID, child, now=NOW)
    return str(child.child_id)


def test_what_a_kind_does_not_need_or_lacks_is_refused_and_named(client: TestClient) -> None:
    first, second, *_ = persons(client)
    (face, *_) = faces(client, first)
    for kind, parts, told in (
        ("confirm", {"faces": [face]}, "confirm needs exactly faces, person"),
        ("name", {"person": first, "other": second, "name": "Hana"}, "name needs exactly"),
        ("name", {"person": first, "name": "a\0b"}, "a name must have"),
        ("name", {"person": first, "name": "x" * 201}, "200"),
        ("age", {"faces": [face], "age": 121}, "an age must be 0 to 120"),
        ("gender", {"faces": [face], "gender": "unknown"}, "female or male"),
        ("same", {"faces": [face, face]}, "two different faces"),
        ("merge", {"person": first, "other": first}, "two persons"),
        ("split", {"faces": [face], "person": second}, "not all of these"),
        ("swap", {"faces": [face]}, "kind"),
        ("reject", {"faces": [face], "person": first, "author": "somebody else"}, "author"),
        ("reject", {"faces": [face], "person": first, "seen": {"faces": {"x": None}}}, "uuid"),
    ):
        problem = say(client, kind, 422, **parts)
        assert (problem["code"], told.lower() in problem["detail"].lower()) == ("invalid_value", True), problem
    assert client.get(DECISIONS).json() == {"items": [], "next": None}


def test_what_is_not_there_is_not_found(client: TestClient) -> None:
    nobody = str(UUID(int=1))
    (first, *_) = persons(client)
    assert say(client, "hide", 404, person=nobody)["code"] == "unknown_person"
    assert say(client, "not_a_face", 404, faces=[nobody])["code"] == "unknown_face"
    assert say(client, "link", 404, person=first, child=nobody)["code"] == "unknown_child"
    assert take_back(client, 1, 404)["code"] == "unknown_decision"
    assert client.get(f"{DECISIONS}/1").json()["code"] == "unknown_decision"
    elsewhere = client.post(f"/v1/families/{nobody}/decisions", json={"kind": "hide", "person": first})
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "unknown_family")


def test_a_contradiction_and_what_later_decisions_build_on_name_these(client: TestClient) -> None:
    first, second, *_ = persons(client)
    say(client, "different", person=first, other=second)
    (face, *_) = faces(client, first)
    say(client, "confirm", faces=[face], person=first)
    (other, *_) = faces(client, second)
    say(client, "confirm", faces=[other], person=second)
    problem = say(client, "same", 409, faces=[face, other])
    assert (problem["code"], problem["numbers"]) == ("contradiction", [1, 2, 3])
    say(client, "reject", faces=[face], person=first)
    say(client, "confirm", faces=[face], person=second)
    problem = take_back(client, 4, 409)
    assert (problem["code"], problem["numbers"]) == ("undo", [5])
    take_back(client, 5)
    problem = take_back(client, 5, 409)
    assert (problem["code"], "by token tests" in problem["detail"]) == ("undo", True)


def test_who_decides_about_what_changed_meanwhile_is_told_how_it_is(client: TestClient) -> None:
    first, second, *_ = persons(client)
    (face, *_) = faces(client, first)
    seen = {"faces": {face: first}, "persons": {first: {}, second: {"name": None}}}
    say(client, "move", faces=[face], person=first, other=second, seen=seen)
    problem = say(client, "reject", 409, faces=[face], person=first, seen=seen)
    assert problem["code"] == "changed_meanwhile"
    assert problem["current"] == {
        "faces": {face: second},
        "persons": {first: {"name": None, "child": None}, second: {"name": None, "child": None}},
    }
    assert face in faces(client, second)
    say(client, "name", person=second, name="Ren")
    problem = say(client, "hide", 409, person=second, seen={"persons": {second: {}}})
    assert problem["current"]["persons"] == {second: {"name": "Ren", "child": None}}
    say(client, "hide", person=second, seen={"persons": {second: {"name": "Ren"}}})


def test_the_same_person_may_be_twice_in_a_photo_where_a_user_says_so(client: TestClient) -> None:
    world = at(client, NOW)
    everybody = [one for who in list_persons(world, FAMILY) for one in list_faces(world, FAMILY, str(who.person_id))]
    photo = next(one.photo for one in everybody if sum(one.photo == other.photo for other in everybody) > 1)
    a, b, *_ = [one for one in everybody if one.photo == photo]
    say(client, "same", faces=[str(a.face_id), str(b.face_id)])
    assert str(b.face_id) in faces(client, str(a.person_id))
    take_back(client, 1)
    assert str(b.face_id) in faces(client, str(b.person_id))


def test_nobody_waits_longer_for_a_family_than_the_lock_time_out(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facealbum.steps.correct.LOCK_SECONDS", 0.05)
    (first, *_) = persons(client)
    with at(client, NOW).database.begin() as run:
        lock_family(run, FAMILY_ID)
        assert say(client, "hide", 503, person=first)["code"] == "family_busy"
        assert take_back(client, 1, 503)["code"] == "family_busy"
    say(client, "hide", person=first)
    assert PersonId(UUID(first)) in {one.person_id for one in list_persons(at(client, NOW), FAMILY) if one.hidden}


def test_a_person_that_is_two_is_suggested_to_be_split_so(client: TestClient) -> None:
    first, _, third, *_ = persons(client)
    theirs = [set(faces(client, who)) for who in (first, third)]
    say(client, "merge", person=first, other=third)
    merged = set(faces(client, third))
    told = client.get(f"/v1/families/{FAMILY_ID}/persons/{third}/split").json()
    assert {frozenset(told["stays"]), frozenset(told["leaves"])} == {frozenset(of & merged) for of in theirs}
    assert told["similarity"] < told["asked"]
    say(client, "confirm", faces=faces(client, third), person=third)
    told = client.get(f"/v1/families/{FAMILY_ID}/persons/{third}/split").json()
    assert (told["leaves"], told["similarity"]) == ([], None)
    gone = client.get(f"/v1/families/{FAMILY_ID}/persons/{first}/split").json()
    assert (gone["code"], third in gone["detail"]) == ("unknown_person", True)


def test_who_resembles_a_person_most_and_why_they_are_two(client: TestClient) -> None:
    first, second, *_ = persons(client)
    half = faces(client, first)[::2]
    new = say(client, "split", faces=half, person=first)["new_person"]
    url = f"/v1/families/{FAMILY_ID}/persons/{first}/similar"
    best, *others = client.get(url).json()["items"]
    assert (best["person_id"], best["faces"]) == (new, len(half))
    assert best["similarity"] > best["asked"]
    assert best["why"] == ["said_to_be_different"]
    assert all("not_similar_enough" in one["why"] for one in others)
    assert "together_in_a_photo" in next(one["why"] for one in others if one["person_id"] == second)
    assert len(client.get(url, params={"limit": 1}).json()["items"]) == 1
    assert client.get(url, params={"limit": 0}).status_code == 422
