"""Reviewing over HTTP and on its page: questions, answers that hold at once, taking back, and nothing stale."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from facealbum.domain.access import Role
from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.ids import family_id
from facealbum.domain.months import Month
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import list_decisions, list_faces, list_persons
from facealbum.storage.families import delete_family, save_family
from facealbum.storage.observations import load_arm
from facealbum.storage.review import load_faces_to_review
from facealbum.storage.schema import face_embeddings
from facealbum.storage.serving import load_served_arm
from tests.integration.album import FAMILY, FAMILY_ID, Shot, add
from tests.integration.web_album import NOW, album_client, at, new_token

REVIEW, PAGE = f"/v1/families/{FAMILY_ID}/review", f"/families/{FAMILY_ID}/review"


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    with album_client(database_url, tmp_path) as opened:
        blur(at(opened, NOW))
        yield opened


def blur(world: Context) -> None:
    """Have some faces of the two largest persons look half like them, so that there is something to ask."""
    largest = [str(one.person_id) for one in list_persons(world, FAMILY)[:2]]
    faces = [one.face_id for person in largest for one in list_faces(world, FAMILY, person)[:5]]
    with world.database.begin() as transaction:
        for number, face in enumerate(faces):
            mine = (face_embeddings.c.family_id == FAMILY_ID) & (face_embeddings.c.face_id == face)
            clear = np.array(transaction.execute(select(face_embeddings.c.embedding).where(mine)).scalar_one())
            noise = np.random.default_rng(number).normal(size=EMBEDDING_SIZE)
            blurred = clear / np.linalg.norm(clear) + 1.7 * noise / np.linalg.norm(noise)
            vector = (blurred / np.linalg.norm(blurred)).tolist()
            transaction.execute(update(face_embeddings).where(mine).values(embedding=vector))


def ask(client: TestClient, **query: int) -> dict[str, Any]:
    answer = client.get(REVIEW, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def tell(client: TestClient, question: dict[str, Any], said: str, *wrong: str) -> dict[str, Any]:
    answer = client.post(f"{REVIEW}/{question['question_id']}", json={"answer": said, "wrong": list(wrong)})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def code(answer: Any, status: int) -> str:  # noqa: ANN401 - a response of whichever httpx there is
    assert answer.status_code == status, answer.text
    return str(answer.json()["code"])


def test_questions_come_with_faces_to_look_at_and_with_how_far_the_family_is(client: TestClient) -> None:
    review = ask(client)
    assert review["items"]
    first = review["items"][0]
    crop = client.get(first["faces"][0]["crop"], headers={"Authorization": ""})
    assert (crop.status_code, crop.headers["content-type"]) == (200, "image/jpeg")
    progress = review["progress"]
    assert 0 < progress["settled"] <= progress["faces"]
    assert progress["answers"] >= len(review["items"])
    assert ask(client, limit=1)["items"][0]["question_id"] == first["question_id"]


def test_a_yes_holds_at_once_and_ends_the_question(client: TestClient) -> None:
    (question,) = ask(client, limit=1)["items"]
    after = tell(client, question, "yes")
    assert question["question_id"] not in {one["question_id"] for one in ask(client)["items"]}
    assert after["progress"]["told"] >= len(question["faces"])
    (decision,) = list_decisions(at(client, NOW), FAMILY)
    assert (decision.kind, decision.author) == ("confirm", "token tests")
    assert {str(face) for face in decision.faces} >= {one["face_id"] for one in question["faces"]}


def test_faces_marked_wrong_are_rejected_and_the_others_confirmed(client: TestClient) -> None:
    question = next(one for one in ask(client)["items"] if one["kind"] == "theirs")
    wrong = question["faces"][0]["face_id"]
    tell(client, question, "no", wrong)
    rejected, confirmed = list_decisions(at(client, NOW), FAMILY)
    assert (rejected.kind, rejected.faces) == ("reject", (UUID(wrong),))
    assert (confirmed.kind, len(confirmed.faces)) == ("confirm", len(question["faces"]) - 1)


def test_taking_back_restores_all_that_the_last_answer_did(client: TestClient) -> None:
    before, persons = ask(client), list_persons(at(client, NOW), FAMILY)
    question = next(one for one in before["items"] if one["kind"] == "theirs")
    tell(client, question, "no", question["faces"][0]["face_id"])
    assert list_persons(at(client, NOW), FAMILY) != persons
    undone = client.post(f"{REVIEW}/undo").json()
    assert undone["progress"] == before["progress"]
    assert list_persons(at(client, NOW), FAMILY) == persons
    assert code(client.post(f"{REVIEW}/undo"), 409) == "undo"


def test_what_nobody_can_tell_is_not_asked_again_until_taken_back(client: TestClient) -> None:
    (question,) = ask(client, limit=1)["items"]
    left = tell(client, question, "unsure")
    assert question["question_id"] not in {one["question_id"] for one in ask(client)["items"]}
    assert not list_decisions(at(client, NOW), FAMILY)
    assert left["progress"]["answers"] == ask(client)["progress"]["answers"]
    client.post(f"{REVIEW}/undo")
    assert ask(client, limit=1)["items"][0]["question_id"] == question["question_id"]


def test_an_answer_to_a_question_that_no_longer_stands_changes_nothing(client: TestClient) -> None:
    (question,) = ask(client, limit=1)["items"]
    tell(client, question, "yes")
    again = client.post(f"{REVIEW}/{question['question_id']}", json={"answer": "no"})
    assert code(again, 409) == "changed_meanwhile"
    assert len(list_decisions(at(client, NOW), FAMILY)) == 1


def test_wrong_faces_must_be_among_those_asked_about(client: TestClient) -> None:
    question = next(one for one in ask(client)["items"] if one["kind"] == "theirs")
    address, face = f"{REVIEW}/{question['question_id']}", question["faces"][0]["face_id"]
    for said in ({"answer": "no", "wrong": [str(FAMILY_ID)]}, {"answer": "yes", "wrong": [face]}, {"answer": "maybe"}):
        assert code(client.post(address, json=said), 422) == "invalid_value"
    assert not list_decisions(at(client, NOW), FAMILY)


def test_a_viewer_is_asked_nothing_and_another_family_stays_unknown(client: TestClient) -> None:
    world = at(client, NOW)
    with world.database.begin() as transaction:
        save_family(transaction, "Tanaka", now=NOW)
    (question,) = ask(client, limit=1)["items"]
    viewer = {"Authorization": f"Bearer {new_token(world, 'viewer', Role.VIEWER)}"}
    assert client.get(REVIEW, headers=viewer).status_code == 200
    answer = client.post(f"{REVIEW}/{question['question_id']}", json={"answer": "yes"}, headers=viewer)
    assert code(answer, 403) == "forbidden"
    other = {"Authorization": f"Bearer {new_token(world, 'tanaka', Role.REVIEWER, family='Tanaka')}"}
    assert code(client.get(REVIEW, headers=other), 404) == "unknown_family"
    mine = client.get(f"/v1/families/{family_id('Tanaka')}/review", headers=other).json()
    assert mine == {"items": [], "progress": {"faces": 0, "settled": 0, "told": 0, "wrong": 0.0, "answers": 0}}


def test_families_are_listed_by_what_their_next_answer_settles(client: TestClient) -> None:
    assert client.get("/v1/review").json() == {"items": [], "next": None}
    review = ask(client)
    (family,) = client.get("/v1/review").json()["items"]
    assert (family["name"], family["progress"]) == (FAMILY, review["progress"])
    assert family["settles"] == pytest.approx(review["items"][0]["settles"])
    with at(client, NOW).database.begin() as transaction:
        delete_family(transaction, FAMILY_ID)
    assert client.get("/v1/review").json()["items"] == []


def test_the_page_asks_takes_answers_by_buttons_and_leads_on(client: TestClient) -> None:
    page = client.get(PAGE)
    assert page.status_code == 200, page.text
    question = form(page.text)
    said = client.post(PAGE, data={"question": question, "answer": "yes"})
    assert (said.status_code, said.headers["location"]) == (303, PAGE)
    assert form(client.get(PAGE).text) != question
    stale = client.post(PAGE, data={"question": question, "answer": "yes"})
    assert stale.status_code == 303
    assert "Somebody changed this meanwhile" in client.get(PAGE).text
    client.post(PAGE)
    assert form(client.get(PAGE).text) == question


def test_a_yes_on_the_page_leaves_out_the_faces_that_are_marked(client: TestClient) -> None:
    page = client.get(PAGE).text
    wrong = re.findall(r'name="wrong" value="([0-9a-f-]{36})"', page)[:1]
    client.post(PAGE, data={"question": form(page), "answer": "yes", "wrong": wrong})
    rejected, confirmed = list_decisions(at(client, NOW), FAMILY)
    assert (rejected.kind, [str(face) for face in rejected.faces], confirmed.kind) == ("reject", wrong, "confirm")


def test_a_script_is_answered_by_the_next_question_at_once(client: TestClient) -> None:
    question = form(client.get(PAGE).text)
    said = {"question": question, "answer": "unsure"}
    following = client.post(PAGE, data=said, headers={"X-Requested-With": "fetch"})
    assert following.status_code == 200
    assert form(following.text) != question
    assert form(following.text) == form(client.get(PAGE).text)


def form(page: str) -> str:
    """The question that the page asks."""
    found = re.search(r'name="question" value="([0-9a-f-]{36})"', page)
    assert found, page
    return found[1]


def test_a_person_of_many_faces_is_judged_by_a_hundred_of_all_its_time(context: Context) -> None:
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    taken = [start + timedelta(days=number) for number in range(130)]
    add(context, [Shot(f"{number:03d}", day, (0,)) for number, day in enumerate(taken)])
    cluster_families(context, Month(2026, 12))
    with context.database.begin() as transaction:
        arm = load_arm(transaction, load_served_arm(transaction, FAMILY_ID))
        assert arm is not None
        looked_at = sorted(one.taken_at for one in load_faces_to_review(transaction, FAMILY_ID, arm))
    assert set(taken[-50:]) <= set(looked_at)
    earlier = [taken.index(day) for day in looked_at if day < taken[-50]]
    assert np.diff(earlier).tolist() == [2] * (len(earlier) - 1)
    assert len(looked_at) == 50 + 40
