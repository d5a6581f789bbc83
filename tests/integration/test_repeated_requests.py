"""Requests that carry a key of their own: sent again they do nothing, and are answered as before."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from facealbum.domain.access import Right, Role
from facealbum.domain.ids import family_id
from facealbum.errors import InvalidValueError
from facealbum.settings import Settings
from facealbum.steps.families import forget_family
from facealbum.steps.idempotency import KEPT, forget_old_requests
from facealbum.storage.request_schema import idempotency_keys
from facealbum.web import make_app
from facealbum.web.rights import requires
from tests.integration.web_album import NOW, at, new_token

MORI = f"/v1/families/{family_id('Mori')}"
HANA = {"name": "Hana", "birth_date": "2019-04-02"}


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> FastAPI:
    url = database_url.replace("+psycopg2", "")
    return make_app(
        Settings(data=tmp_path / "data", database_url=url, object_store=str(tmp_path / "objects"), web_threads=4)
    )


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """By the token of an admin, before one family."""
    with TestClient(app) as opened:
        opened.headers["Authorization"] = f"Bearer {new_token(at(opened, NOW), 'tests', Role.ADMIN)}"
        opened.post("/v1/families", json={"name": "Mori"})
        yield opened


def count_calls(app: FastAPI, path: str, work: Callable[[int], Any]) -> list[int]:
    """A route that answers what `work` makes of how often it was called."""
    calls: list[int] = []

    def endpoint() -> Any:  # noqa: ANN401 - whatever the test wants
        calls.append(1)
        return work(len(calls))

    app.post(path, dependencies=[requires(Right.MANAGE)])(endpoint)
    return calls


def send(client: TestClient, path: str, key: str, **body: Any) -> tuple[int, Any, bool]:  # noqa: ANN401 - JSON
    answer = client.post(path, headers={"Idempotency-Key": key}, **body)
    return answer.status_code, answer.json() if answer.content else None, "idempotency-replayed" in answer.headers


def test_a_request_that_is_sent_again_is_answered_as_before(client: TestClient) -> None:
    status, child, replayed = send(client, f"{MORI}/children", "k1", json=HANA)
    assert (status, replayed) == (201, False)
    client.patch(f"{MORI}/children/{child['child_id']}", json={"name": "Hanako"})
    assert send(client, f"{MORI}/children", "k1", json=HANA) == (201, child, True)
    first = client.post("/v1/families", json={"name": "Sato"}, headers={"Idempotency-Key": "k2"})
    again = client.post("/v1/families", json={"name": "Sato"}, headers={"Idempotency-Key": "k2"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == first.headers["content-type"]


def test_a_key_belongs_to_one_request_and_one_caller(client: TestClient) -> None:
    assert send(client, f"{MORI}/children", "k", json=HANA)[0] == 201
    for path, body in ((f"{MORI}/children", HANA | {"name": "Riku"}), ("/v1/families", HANA)):
        status, problem, _ = send(client, path, "k", json=body)
        assert (status, problem["code"]) == (422, "key_reused")
    client.headers["Authorization"] = f"Bearer {new_token(at(client, NOW), 'other', Role.ADMIN)}"
    assert send(client, f"{MORI}/children", "k", json=HANA)[::2] == (200, False)


def test_of_two_requests_at_once_one_works_and_the_other_is_told_so(app: FastAPI, client: TestClient) -> None:
    begun, told = Event(), Event()

    def wait(_: int) -> dict[str, int]:
        begun.set()
        assert told.wait(60)
        return {}

    calls = count_calls(app, "/v1/slow", wait)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(send, client, "/v1/slow", "k")
        assert begun.wait(60)
        status, problem, _ = send(client, "/v1/slow", "k")
        told.set()
        assert (status, problem["code"]) == (409, "key_in_use")
        assert first.result() == (200, {}, False)
    assert send(client, "/v1/slow", "k") == (200, {}, True)
    assert len(calls) == 1


def test_of_many_requests_at_once_one_works(app: FastAPI, client: TestClient) -> None:
    calls, barrier = count_calls(app, "/v1/many", lambda _: {}), Barrier(8)

    def one(_: int) -> int:
        barrier.wait(60)
        return send(client, "/v1/many", "k")[0]

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(one, range(8)))
    assert set(statuses) <= {200, 409}
    assert len(calls) == 1


def test_what_was_refused_or_crashed_may_be_tried_again_with_its_key(app: FastAPI, client: TestClient) -> None:
    assert send(client, f"{MORI}/children", "k1", json=HANA | {"birth_date": "2030-01-01"})[0] == 422
    assert send(client, f"{MORI}/children", "k1", json=HANA)[0] == 201

    def fail_at_first(call: int) -> dict[str, int]:
        if call == 1:
            raise RuntimeError
        if call == 2:
            raise InvalidValueError("no")
        return {"call": call}

    count_calls(app, "/v1/failing", fail_at_first)
    assert [send(client, "/v1/failing", "k2")[0] for _ in range(4)] == [500, 422, 200, 200]


def test_a_request_whose_process_died_is_done_again_after_ten_minutes(app: FastAPI, client: TestClient) -> None:
    at(client, NOW)
    calls = count_calls(app, "/v1/dying", lambda call: {"call": call})
    send(client, "/v1/dying", "k")
    with at(client, NOW).database.begin() as transaction:
        transaction.execute(idempotency_keys.update().values(status=None, answer=None))
    at(client, NOW + timedelta(minutes=9))
    assert send(client, "/v1/dying", "k")[1]["code"] == "key_in_use"
    at(client, NOW + timedelta(minutes=11))
    assert send(client, "/v1/dying", "k") == (200, {"call": 2}, False)
    assert len(calls) == 2


def test_an_answer_with_a_secret_is_told_once(app: FastAPI, client: TestClient) -> None:
    def tell(_: int) -> Response:
        return Response('{"secret": "a"}', headers={"Cache-Control": "no-store"}, media_type="application/json")

    count_calls(app, "/v1/secret", tell)
    assert send(client, "/v1/secret", "k")[:2] == (200, {"secret": "a"})
    assert send(client, "/v1/secret", "k")[1]["code"] == "key_spent"


def kept(client: TestClient) -> int:
    with at(client, NOW).database.begin() as transaction:
        return transaction.execute(select(func.count()).select_from(idempotency_keys)).scalar_one()


def test_answers_are_kept_for_a_day_and_go_with_their_family(client: TestClient) -> None:
    send(client, f"{MORI}/children", "k1", json=HANA)
    send(client, "/v1/families", "k2", json={"name": "Sato"})
    send(client, "/v1/signals", "k3", json={"source": "helpdesk", "signals": []})
    forget_family(at(client, NOW), "Mori")
    forget_family(at(client, NOW), "Sato")
    assert kept(client) == 1
    assert forget_old_requests(at(client, NOW + KEPT)) == 0
    assert forget_old_requests(at(client, NOW + KEPT + timedelta(seconds=1))) == 1
    assert kept(client) == 0


@pytest.mark.parametrize("key", ["", "two words", "x" * 201, "\t"])
def test_a_key_that_is_none_is_refused(client: TestClient, key: str) -> None:
    assert send(client, "/v1/families", key, json={"name": "Sato"})[0] == 422


def test_other_requests_pass_whatever_key_they_carry(client: TestClient) -> None:
    client.headers["Idempotency-Key"] = "k"
    assert client.get("/v1/families").status_code == 200
    assert client.get("/v1/families").status_code == 200
    for name in ("a", "b"):
        assert client.post(f"{MORI}/photos", files={"files": (name, name.encode())}).status_code == 202
    assert kept(client) == 0
