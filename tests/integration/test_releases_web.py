"""The registry over HTTP: an admin asks, another grants, and the page says what gates said."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from facealbum.domain.access import Role
from facealbum.steps.access import proof_of
from facealbum.steps.arms import create_arm
from facealbum.steps.context import Context
from facealbum.steps.releases import register_arm
from facealbum.steps.users import add_user
from facealbum.web.sessions import SESSION_COOKIE
from tests.integration.web_album import NOW, at, new_token, open_client

PASSWORD = "correct horse battery"  # noqa: S105 - of a test


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    with open_client(database_url, tmp_path) as client:
        world = at(client, NOW)
        create_arm(world, "sharp", algorithm="constrained", changes={"similarity": 0.3}, author="test")
        register_arm(world, "sharp")
        yield client


@pytest.fixture
def world(client: TestClient) -> Context:
    return client.app.state.context  # type: ignore[attr-defined, no-any-return]


def bearer(world: Context, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {new_token(world, name, Role.ADMIN)}"}


def find(client: TestClient, name: str, headers: dict[str, str]) -> dict[str, object]:
    items = client.get("/v1/models/versions?limit=200", headers=headers).json()["items"]
    return next(one for one in items if one["name"] == name)


def test_two_programs_bring_a_version_to_families_and_one_takes_it_back(client: TestClient, world: Context) -> None:
    first, second = bearer(world, "first"), bearer(world, "second")
    model, release = find(client, "sharp", first), find(client, "release", first)
    path = f"/v1/models/versions/{model['model_id']}"
    asked = client.post(f"{path}/promote", json={"reason": "sharper"}, headers=first).json()
    assert (asked["waits"], asked["model"]["asked_by"]) == (True, "token first")
    granted = client.post(f"{path}/promote", json={}, headers=second).json()
    assert (granted["waits"], granted["model"]["stage"]) == (False, "production")
    assert {one["gate"]: one["outcome"] for one in granted["verdicts"]}["shadow comparison"] == "pass"
    difference = client.get(f"{path}/diff/{release['model_id']}", headers=first).json()
    assert difference["fields"]["stage"] == ["production", "retired"]
    back = client.post("/v1/models/versions/rollback", json={"slot": "thresholds"}, headers=first).json()
    assert back["name"] == "release"
    (newest, promoted, *_) = client.get(
        f"/v1/models/versions/changes?model_id={model['model_id']}", headers=first
    ).json()["items"]
    assert (promoted["author"], promoted["approver"]) == ("token first", "token second")
    assert newest["undoes"] == promoted["act"]
    again = client.post("/v1/models/versions/rollback", json={"slot": "thresholds"}, headers=first)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_a_refusal_over_http_says_which_gate_and_what_to_do(client: TestClient, world: Context) -> None:
    admin = bearer(world, "first")
    research = find(client, "family-512", admin)
    answer = client.post(f"/v1/models/versions/{research['model_id']}/promote", json={}, headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (409, "refused")
    assert "licence of family-512 must be accepted" in answer.json()["detail"]
    assert find(client, "family-512", admin)["gates"]["licence"]["outcome"] == "fail"  # type: ignore[index]


def test_the_page_of_a_version_shows_its_gates_and_moves_it_when_ticked(client: TestClient, world: Context) -> None:
    add_user(world, "root", Role.ADMIN, password=PASSWORD, author="test")
    (csrf,) = re.findall('name="csrf" value="([^"]+)"', client.get("/login").text)
    assert client.post("/login", data={"name": "root", "password": PASSWORD, "csrf": csrf}).status_code == 303
    form = {"csrf": proof_of(client.cookies[SESSION_COOKIE]), "stage": "production"}
    (page,) = re.findall(r'href="(/models/\d+)">sharp@1<', client.get("/models").text)
    assert "No gate was asked yet" in client.get(page).text
    assert client.post(f"{page}/promote", data=form).status_code == 422
    assert client.post(f"{page}/promote", data={**form, "sure": "yes"}).status_code == 303
    shown = client.get(page).text
    assert "waits for another user" in shown
    assert "there is no face yet" in shown
    client.post(f"/v1{page.replace('models', 'models/versions')}/promote", json={}, headers=bearer(world, "other"))
    assert client.post(f"{page}/rollback", data={**form, "sure": "yes"}).status_code == 303
    assert client.post(f"{page}/retire", data={**form, "sure": "yes"}).status_code == 303
    japanese = client.get(page, headers={"accept-language": "ja"}).text
    assert "引退" in japanese
    assert "ユーザー root" in japanese
