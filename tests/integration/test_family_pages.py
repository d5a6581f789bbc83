"""Families, persons and photos as pages, and correcting on them; each test talks to the whole application."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from facealbum.domain.access import Role
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import child_id, family_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child, Gender
from facealbum.settings import Settings
from facealbum.steps.access import proof_of
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide, list_decisions, list_persons
from facealbum.steps.dashboard import refresh
from facealbum.steps.families import forget_family
from facealbum.steps.users import add_user, create_token
from facealbum.storage.families import save_child, save_family
from facealbum.storage.schema import assignments, breakage, faces, links, persons
from facealbum.web import make_app
from facealbum.web.sessions import SESSION_COOKIE
from tests.conftest import NOW, copied, original
from tests.integration.album import FAMILY, FAMILY_ID, add, shots
from tests.integration.test_pages import Markup

HOME = f"/families/{FAMILY_ID}"
HOSTILE = '<script>alert("1")</script>\'&'
HANA = Child(child_id(FAMILY_ID, HOSTILE), HOSTILE, date(2012, 1, 1), Gender.FEMALE)
PASSWORD = "a long enough password"  # noqa: S105 - of a test


@pytest.fixture(scope="module")
def album(server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with two clustered months of four people, a month that waits, and an empty family."""
    with original(server, "pages", tmp_path_factory) as world:
        add(world, shots(months=3, a_month=14))
        with world.database.begin() as transaction:
            save_child(transaction, FAMILY_ID, HANA, now=NOW)
            save_family(transaction, "Tanaka", now=NOW)
        for month in (1, 2):
            cluster_families(world, Month(2026, month))
        refresh(world)
    return "pages"


@pytest.fixture
def client(server: str, album: str, tmp_path: Path) -> Iterator[TestClient]:
    """A browser before the application on an album of its own."""
    with copied(server, album, "page") as copy:
        url = copy.replace("+psycopg2", "")
        settings = Settings(data=tmp_path, database_url=url, object_store=str(tmp_path / "objects"), web_threads=2)
        with TestClient(make_app(settings), follow_redirects=False, headers={"accept": "text/html"}) as opened:
            state = opened.app.state  # type: ignore[attr-defined]
            state.context = replace(state.context, clock=lambda: NOW)
            add_user(state.context, "root", Role.ADMIN, password=PASSWORD, author="test")
            yield opened


def world_of(client: TestClient) -> Context:
    return client.app.state.context  # type: ignore[attr-defined, no-any-return]


def log_in(client: TestClient, role: Role = Role.REVIEWER) -> str:
    """Be somebody of this role; the proof that forms need."""
    add_user(world_of(client), f"ann-{role}", role, password=PASSWORD, author="test")
    (csrf,) = re.findall('name="csrf" value="([^"]+)"', client.get("/login").text)
    client.post("/login", data={"name": f"ann-{role}", "password": PASSWORD, "csrf": csrf})
    return proof_of(client.cookies[SESSION_COOKIE])


def rows(client: TestClient) -> dict[str, dict[Any, Any]]:
    """Every row that a decision may change, by table and key."""
    keys = {"assignments": "face_id", "persons": "person_id", "links": "person_id", "faces": "face_id"}
    with world_of(client).database.begin() as transaction:
        return {
            table.name: {row[keys[table.name]]: dict(row) for row in transaction.execute(select(table)).mappings()}
            for table in (assignments, persons, links, faces)
        }


def changed(before: Mapping[str, Mapping[Any, Any]], after: Mapping[str, Mapping[Any, Any]]) -> dict[str, set[str]]:
    """The keys of the rows that differ, by table."""
    found = {
        name: {
            str(key)
            for key in before[name].keys() | after[name].keys()
            if before[name].get(key) != after[name].get(key)
        }
        for name in before
    }
    return {name: keys for name, keys in found.items() if keys}


def person_pages(client: TestClient) -> list[str]:
    """The URLs of the persons, those with most faces first."""
    return [f"{HOME}/persons/{one.person_id}" for one in list_persons(world_of(client), FAMILY)]


def boxes(page: str) -> list[str]:
    """What the boxes of a page's faces send."""
    return re.findall(r'name="face" value="([^"]+)"', page)


def photos_of(found: Mapping[str, Mapping[Any, Any]], sent: Iterable[str]) -> set[Any]:
    """The photos of these faces, as boxes send them."""
    return {found["faces"][UUID(one[:36])]["photo_id"] for one in sent}


def send(client: TestClient, proof: str, back: str, **fields: Any) -> Any:  # noqa: ANN401 - a form, and a response
    return client.post(f"{HOME}/decisions", data={"csrf": proof, "back": back, **fields})


def undo(client: TestClient, page: str) -> Any:  # noqa: ANN401 - a response
    """Press the first button on the page that takes something back."""
    form = re.search(rf'action="({HOME}/decisions/\d+/undo)".*?</form>', page, re.DOTALL)
    assert form, page
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', form[0])
    return client.post(form[1], data={name: unescape(value) for name, value in fields})


# --- Looking ---------------------------------------------------------------------------------------------------


def every_page(client: TestClient) -> list[str]:
    page = person_pages(client)[0]
    shown = client.get(page).text
    photo, lineage = (re.search(rf"{HOME}/{one}", shown) for one in ("photos/[0-9a-f-]+", "faces/[0-9a-f-]+/lineage"))
    assert photo
    assert lineage
    with world_of(client).database.begin() as transaction:
        label = transaction.execute(select(breakage.c.run_id, breakage.c.person_id)).first()
    assert label
    run = f"{HOME}/labels/{label.run_id}/{label.person_id}"
    about = [page, f"{page}/suggestions"]
    return ["/breakage", "/families", HOME, *about, f"{HOME}/waiting", lineage[0], photo[0], run, f"{HOME}/decisions"]


def test_every_page_has_its_landmarks_and_nothing_inline_and_escapes_names(client: TestClient) -> None:
    proof = log_in(client)
    for page in person_pages(client)[:2]:
        send(client, proof, page, kind="name", person=page[-36:], name=HOSTILE)
    send(client, proof, "/", kind="link", person=page[-36:], child=str(HANA.child_id), was_name=HOSTILE)
    for path in every_page(client):
        page = client.get(path)
        found = Markup(page.text)
        assert page.status_code == 200, path
        assert not found.forbidden, path
        assert [found.tags.count(tag) for tag in ("header", "main", "h1")] == [1, 1, 1], path
        assert 'alert("1")' not in page.text
    assert HOSTILE in unescape(client.get(HOME).text)


def test_pages_speak_japanese(client: TestClient) -> None:
    log_in(client)
    for path in every_page(client):
        page = client.get(path, headers={"accept-language": "ja"})
        assert page.status_code == 200, path
    assert "この人物" in client.get(person_pages(client)[0], headers={"accept-language": "ja"}).text


def test_suggestions_are_carried_out_by_their_buttons(client: TestClient) -> None:
    proof = log_in(client)
    page = person_pages(client)[0]
    text = client.get(f"{page}/suggestions").text
    other = re.search(r'name="other" value="([0-9a-f-]{36})"', text)
    assert other
    leaves = re.findall(r'name="face" value="([^"]+)" checked>', text)
    assert leaves
    before = rows(client)
    answer = send(client, proof, f"{page}/suggestions", kind="split", face=leaves)
    assert answer.headers["location"] == f"{page}/suggestions?decided=1"
    assert changed(before, rows(client))["assignments"] == {one[:36] for one in leaves}
    undo(client, client.get(answer.headers["location"]).text)
    assert not changed(before, rows(client))
    assert send(client, proof, page, kind="merge", person=page[-36:], other=other[1]).status_code == 303
    led = client.get(f"{page}/suggestions")
    assert (led.status_code, led.headers["location"]) == (303, f"{HOME}/persons/{other[1]}/suggestions")


def test_a_photo_tells_the_age_that_a_user_said(client: TestClient) -> None:
    proof = log_in(client)
    photo = every_page(client)[-3]
    face = boxes(client.get(photo).text)[0]
    send(client, proof, photo, kind="age", face=face, age="63.5")
    assert '<td class="number">63.5</td>' in client.get(photo).text
    send(client, proof, photo, kind="age", face=face)
    assert '<td class="number">–</td>' in client.get(photo).text


@pytest.mark.parametrize(("yaw", "marks"), [(59.0, 0), (-75.0, 1)])
def test_a_photo_marks_a_strongly_turned_face(client: TestClient, yaw: float, marks: int) -> None:
    log_in(client)
    photo = every_page(client)[-3]
    number = boxes(client.get(photo).text)[0].split(":")[0]
    with world_of(client).database.begin() as transaction:
        transaction.execute(update(faces).where(faces.c.face_id == number).values(yaw=yaw))
    assert client.get(photo).text.count("strongly turned") == marks


def test_a_viewer_sees_faces_and_no_button_and_may_not_decide(client: TestClient) -> None:
    proof = log_in(client, Role.VIEWER)
    for path in every_page(client):
        page = client.get(path)
        assert page.status_code == 200
        assert 'name="kind"' not in page.text
        assert not boxes(page.text)
    page = person_pages(client)[0]
    before = rows(client)
    assert send(client, proof, page, kind="hide", person=page[-36:]).status_code == 403
    assert client.post(f"{HOME}/decisions/1/undo", data={"csrf": proof}).status_code == 403
    assert not changed(before, rows(client))


def test_a_decision_needs_the_proof_of_our_page(client: TestClient) -> None:
    log_in(client)
    page = person_pages(client)[0]
    before = rows(client)
    assert send(client, "another", page, kind="hide", person=page[-36:]).status_code == 403
    assert not changed(before, rows(client))


def test_another_family_s_persons_and_photos_are_not_there(client: TestClient) -> None:
    proof = log_in(client)
    own = every_page(client)
    tanaka = family_id("Tanaka")
    for path in own[3:]:
        if not path.endswith(("waiting", "decisions")):
            assert client.get(path.replace(str(FAMILY_ID), str(tanaka))).status_code == 404, path
    face = boxes(client.get(own[3]).text)[0]
    refused = client.post(f"/families/{tanaka}/decisions", data={"csrf": proof, "kind": "reject", "face": face})
    assert refused.status_code in {404, 409, 422}
    _, secret = create_token(world_of(client), "tanaka", Role.REVIEWER, family="Tanaka", days=1, author="test")
    client.cookies.clear()
    for path in own[2:]:
        assert client.get(path, headers={"Authorization": f"Bearer {secret}"}).status_code == 404, path


def test_a_family_without_anything_says_what_to_do(client: TestClient) -> None:
    log_in(client)
    home = f"/families/{family_id('Tanaka')}"
    assert "facealbum cluster" in client.get(home).text
    assert "No face waits here" in client.get(f"{home}/waiting").text
    assert "Nobody has decided anything here yet" in client.get(f"{home}/decisions").text


def test_a_family_that_is_deleted_meanwhile_is_a_page_that_is_not_there(client: TestClient) -> None:
    proof = log_in(client)
    paths = every_page(client)
    forget_family(world_of(client), FAMILY)
    for path in paths[2:]:
        assert client.get(path).status_code == 404, path
    assert send(client, proof, HOME, kind="hide", person=paths[3][-36:]).status_code == 404


@pytest.mark.parametrize("asked", ["until=x", "until=2026-13", "until=x~y", "until=2026-01-01T00:00:00~x"])
def test_a_place_that_is_none_is_told(client: TestClient, asked: str) -> None:
    log_in(client)
    assert client.get(f"{person_pages(client)[0]}?{asked}").status_code == 422
    for path in (f"{HOME}?after=x", f"{HOME}?until=0001-01", f"{HOME}/decisions?before=x", "/breakage?arm=none"):
        assert client.get(path).status_code == 422, path


def test_a_place_beyond_all_there_is_shows_nothing(client: TestClient) -> None:
    log_in(client)
    huge = "9" * 30
    for path in (f"?after={huge}.{HANA.child_id}", f"/decisions?before={huge}", "/waiting?until=1900-01"):
        assert client.get(HOME + path).status_code == 200, path


@pytest.mark.parametrize("number", ["0", "999", "x", "-1", "9" * 30, "１", ""])
def test_news_of_no_decision_are_none(client: TestClient, number: str) -> None:
    log_in(client)
    page = client.get(f"{person_pages(client)[0]}?decided={number}")
    assert (page.status_code, 'class="told' in page.text) == (200, False)


# --- Correcting ------------------------------------------------------------------------------------------------

FACES: Mapping[str, tuple[int, Mapping[str, str], set[str], str]] = {
    "confirm": (3, {}, {"assignments"}, "3 faces are"),
    "reject": (2, {}, {"assignments"}, "2 faces are not"),
    "move": (3, {"other": "other"}, {"assignments"}, "3 faces moved to"),
    "split": (2, {}, {"assignments", "persons"}, "2 faces of"),
    "not_a_face": (1, {}, {"assignments", "faces"}, "1 is not a face"),
    "different": (2, {}, {"assignments"}, "Two faces are two people"),
    "same": (2, {}, set(), "Two faces are the same person"),
    "age": (1, {"age": "3.5"}, {"faces"}, "The age of 1 face was corrected"),
    "gender": (2, {"gender": "male"}, {"faces"}, "The gender of 2 faces was corrected"),
}


@pytest.mark.parametrize("kind", FACES)
def test_what_is_said_of_faces_changes_these_alone_and_one_button_takes_it_back(client: TestClient, kind: str) -> None:
    count, fields, tables, said = FACES[kind]
    proof = log_in(client)
    page, other, *_ = person_pages(client)
    before = rows(client)
    shown = photos_of(before, boxes(client.get(other).text))
    selected = [one for one in boxes(client.get(page).text) if not photos_of(before, [one]) & shown][:count]
    given = dict(fields) | ({"other": other[-36:]} if "other" in fields else {})
    answer = send(client, proof, page, kind=kind, face=selected, **given)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}?decided=1")
    found = changed(before, rows(client))
    assert set(found) <= tables
    assert (found.get("assignments", set()) | found.get("faces", set())) <= {one[:36] for one in selected}
    after = client.get(answer.headers["location"]).text
    assert said in after
    back = undo(client, after)
    assert (back.status_code, back.headers["location"]) == (303, f"{page}?undone=1")
    assert not changed(before, rows(client))
    assert "Decision 1 is undone" in client.get(back.headers["location"]).text


def test_a_face_that_gives_way_in_its_photo_is_told(client: TestClient) -> None:
    """Two faces of one photo are never one person; undoing brings the other one back, too."""
    proof = log_in(client)
    page, other, *_ = person_pages(client)
    before = rows(client)
    shown = photos_of(before, boxes(client.get(other).text))
    selected = [one for one in boxes(client.get(page).text) if photos_of(before, [one]) <= shown][:2]
    answer = send(client, proof, page, kind="move", face=selected, other=other[-36:])
    after = client.get(answer.headers["location"]).text
    assert "Faces whose person changed: 4. Of them not selected, but in the same photos: 2; they wait now." in " ".join(
        after.split()
    )
    undo(client, after)
    assert not changed(before, rows(client))


PERSONS: Mapping[str, tuple[Mapping[str, str], set[str], str]] = {
    "name": ({"name": "Hana"}, {"persons"}, "Named Hana"),
    "hide": ({}, {"persons"}, "is hidden"),
    "merge": ({"other": "other"}, {"persons", "assignments"}, "Faces whose person changed"),
    "different": ({"other": "other"}, set(), "are two people"),
    "link": ({"child": str(HANA.child_id)}, {"links"}, "was linked to a child"),
    "unlink": ({"child": str(HANA.child_id)}, {"links"}, "is not that child"),
}


@pytest.mark.parametrize("kind", PERSONS)
def test_what_is_said_of_a_person_changes_it_alone_and_one_button_takes_it_back(client: TestClient, kind: str) -> None:
    fields, tables, said = PERSONS[kind]
    proof = log_in(client)
    page, other, *_ = person_pages(client)
    whole = {one.split(":")[0] for one in boxes(client.get(page).text)}
    before = rows(client)
    given = dict(fields) | ({"other": other[-36:]} if "other" in fields else {})
    answer = send(client, proof, page, kind=kind, person=page[-36:], **given)
    assert answer.status_code == 303, answer.text
    found = changed(before, rows(client))
    assert set(found) <= tables
    assert found.get("assignments", set()) <= whole
    linked = {str(person) for person, row in before["links"].items() if kind == "link"}  # a child is one person here
    assert found.get("persons", set()) | found.get("links", set()) <= {page[-36:], other[-36:], *linked}
    shown = client.get(answer.headers["location"])
    if kind == "merge":
        assert (shown.status_code, shown.headers["location"]) == (303, f"{other}?decided=1")
        shown = client.get(shown.headers["location"])
    assert said in shown.text
    undo(client, shown.text)
    assert not changed(before, rows(client))


def test_waiting_faces_find_their_person_by_the_same_form(client: TestClient) -> None:
    proof = log_in(client)
    waiting = boxes(client.get(f"{HOME}/waiting").text)
    other = person_pages(client)[0][-36:]
    assert waiting[0].endswith(":")
    before = rows(client)
    answer = send(client, proof, f"{HOME}/waiting", kind="move", face=waiting[0], other=other)
    assert answer.status_code == 303
    assert changed(before, rows(client)) == {"assignments": {waiting[0][:36]}}
    assert waiting[0] not in boxes(client.get(f"{HOME}/waiting").text)


def test_nothing_selected_or_chosen_is_told_and_keeps_the_selection(client: TestClient) -> None:
    proof = log_in(client)
    page, other, *_ = person_pages(client)
    some = boxes(client.get(page).text)[:2]
    strangers = boxes(client.get(other).text)[:1]
    cases: list[tuple[Mapping[str, Any], str]] = [
        ({"kind": "reject"}, "select faces first"),
        ({"kind": "move", "face": some}, "choose a person first"),
        ({"kind": "reject", "face": some + strangers}, "select faces of one person at a time"),
        ({"kind": "reject", "face": "x:y"}, "load the page again"),
        ({"kind": "same", "face": some[:1]}, "two"),
    ]
    for fields, said in cases:
        refused = send(client, proof, page, **fields)
        assert refused.status_code == 422, fields
        assert said in refused.text, fields
        assert refused.text.count(" checked>") == len([one for one in fields.get("face", []) if len(one) > 36])
    assert not list_decisions(world_of(client), FAMILY)


def test_what_changed_meanwhile_is_told_and_the_selection_can_be_sent_again(client: TestClient) -> None:
    proof = log_in(client)
    page, other, *_ = person_pages(client)
    selected = boxes(client.get(page).text)[:2]
    face = selected[0][:36]
    decide(world_of(client), FAMILY, Said(Kind.MOVE, (face,), page[-36:], other[-36:]), author="ben")
    before = rows(client)
    refused = send(client, proof, page, kind="confirm", face=selected)
    assert refused.status_code == 409
    assert not changed(before, rows(client))
    assert "Somebody changed this while you looked at it" in refused.text
    assert "<td>ben</td>" in refused.text
    again = boxes(refused.text)
    assert sorted(again) == sorted([f"{face}:{other[-36:]}", selected[1]])
    assert refused.text.count(" checked>") == 2
    assert send(client, proof, page, kind="not_a_face", face=again).status_code == 303


def test_a_name_that_changed_meanwhile_is_told_and_can_be_given_nevertheless(client: TestClient) -> None:
    proof = log_in(client)
    page = person_pages(client)[0]
    decide(world_of(client), FAMILY, Said(Kind.NAME, person=page[-36:], name="Ren"), author="ben")
    refused = send(client, proof, page, kind="name", person=page[-36:], name="Hana", was_name="")
    assert (refused.status_code, "It is now called Ren." in refused.text) == (409, True)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', refused.text.split('class="problem"')[1]))
    assert (fields["name"], fields["was_name"]) == ("Hana", "Ren")
    assert client.post(f"{HOME}/decisions", data=fields).status_code == 303
    assert list_persons(world_of(client), FAMILY)[0].name == "Hana"


def test_a_contradiction_names_who_said_otherwise(client: TestClient) -> None:
    proof = log_in(client)
    page, other, *_ = person_pages(client)
    send(client, proof, page, kind="different", person=page[-36:], other=other[-36:])
    face, stranger = boxes(client.get(page).text)[0], boxes(client.get(other).text)[0]
    send(client, proof, page, kind="confirm", face=face)
    send(client, proof, other, kind="confirm", face=stranger)
    refused = send(client, proof, page, kind="same", face=[face, stranger])
    assert refused.status_code == 409
    assert "Earlier decisions say otherwise" in refused.text
    assert "user ann-reviewer" in refused.text
    assert refused.text.count(" checked>") == 2


def test_a_decision_that_others_build_on_is_not_undone(client: TestClient) -> None:
    proof = log_in(client)
    page, other, *_ = person_pages(client)
    send(client, proof, page, kind="merge", person=page[-36:], other=other[-36:])
    send(client, proof, other, kind="name", person=other[-36:], name="Hana")
    send(client, proof, other, kind="not_a_face", face=boxes(client.get(other).text)[0])
    refused = client.post(f"{HOME}/decisions/1/undo", data={"csrf": proof, "back": page})
    assert refused.status_code in {303, 409}
    twice = client.post(f"{HOME}/decisions/3/undo", data={"csrf": proof, "back": "//evil.example"})
    assert (twice.status_code, twice.headers["location"]) == (303, "/?undone=3")
    twice = client.post(f"{HOME}/decisions/3/undo", data={"csrf": proof, "back": page})
    assert (twice.status_code, "it is undone already" in twice.text) == (409, True)


def test_the_decisions_tell_who_said_what_before_and_after(client: TestClient) -> None:
    proof = log_in(client)
    page, other, *_ = person_pages(client)
    send(client, proof, page, kind="move", face=boxes(client.get(page).text)[:2], other=other[-36:])
    text = client.get(f"{HOME}/decisions").text
    assert "2 faces moved to" in text
    assert "user ann-reviewer" in text
    assert re.search(rf"{page[-36:][:8]} → .*{other[-36:][:8]}: 2", text)
    assert undo(client, text).headers["location"] == f"{HOME}/decisions?undone=1"
    assert "undone by user ann-reviewer" in client.get(f"{HOME}/decisions").text
