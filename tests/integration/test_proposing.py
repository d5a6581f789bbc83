"""What a search found is proposed from its page and over HTTP, by who may manage, once, and in the name of who asks."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from facealbum.domain.access import Role
from facealbum.domain.months import Month
from facealbum.steps.arms import list_arms
from facealbum.steps.context import Context
from facealbum.steps.experiments import list_experiments
from facealbum.steps.searches import SearchPlan, start_search
from facealbum.storage.audit import load_entries
from facealbum.storage.searches import load_search, update_search
from tests.integration.album import add, shots
from tests.integration.test_study_pages import client, log_in, words
from tests.integration.web_album import new_token

__all__ = ["client"]


def side(value: float, low: float, high: float) -> dict[str, Any]:
    """What families say of the loss and of breakage."""
    told = {"base": 0.05, "found": 0.05 + value, "value": value, "low": low, "high": high, "families": 2}
    return {"families": 2, "broken": [], "differences": [{"measure": one, **told} for one in ("loss", "breakage")]}


def conclude(context: Context, name: str, *, better: bool) -> None:
    """A search that found another similarity."""
    start_search(context, name, SearchPlan(trials=1, through=Month(2026, 1)), seconds=0, author="ann")
    said = side(-0.01, -0.02, -0.005 if better else 0.01)
    reason = "of a test"
    outcome = {"trial": 1, "changes": {"similarity": 0.27}, "better": better, "reason": reason}
    with context.database.begin() as transaction:
        found = load_search(transaction, name)
        update_search(transaction, found.search_id, outcome={**outcome, "searched": said, "held_out": said})


@pytest.fixture
def world(context: Context) -> Context:
    """Two families, and two searches over."""
    for family in ("Mori", "Sato"):
        add(context, shots(months=1, a_month=3), family=family)
    conclude(context, "autumn", better=True)
    conclude(context, "winter", better=False)
    return context


def test_what_was_found_is_proposed_from_the_page_when_ticked(client: TestClient, world: Context) -> None:
    proof = log_in(client)
    page = client.get("/searches/autumn").text
    assert 'action="/searches/autumn/propose"' in page
    assert 'name="anyway"' not in page
    assert client.post("/searches/autumn/propose", data=proof | {"sure": ""}).status_code == 422
    assert client.post("/searches/autumn/propose", data={"sure": "yes"}).status_code == 403
    assert not list_experiments(world)
    done = client.post("/searches/autumn/propose", data=proof)
    assert (done.status_code, done.headers["location"]) == (303, "/searches/autumn")
    shown = words(client.get("/searches/autumn").text)
    assert "The arm search-autumn is there, with the draft of an experiment to try it." in shown
    assert "Proposed as the arm search-autumn." in shown
    assert "propose" not in client.get("/searches/autumn").text
    assert [(one.name, one.status) for one in list_experiments(world)] == [("search-autumn", "draft")]
    assert client.post("/searches/autumn/propose", data=proof).status_code == 409
    with world.database.begin() as transaction:
        assert [one.author for one in load_entries(transaction, "arm search-autumn")] == ["user admin"]


def test_what_families_held_out_do_not_show_is_proposed_only_when_that_is_ticked_too(
    client: TestClient, world: Context
) -> None:
    proof = log_in(client)
    assert 'name="anyway"' in client.get("/searches/winter").text
    refused = client.post("/searches/winter/propose", data=proof)
    assert (refused.status_code, "proposed nevertheless" in words(refused.text)) == (409, True)
    assert client.post("/searches/winter/propose", data={**proof, "anyway": "yes"}).status_code == 303
    assert "search-winter" in {one.name for one in list_arms(world)}


def test_who_may_not_manage_is_told_the_command_and_refused(client: TestClient, world: Context) -> None:
    proof = log_in(client, Role.OPERATOR)
    page = client.get("/searches/autumn").text
    assert "facealbum search propose autumn" in page
    assert "/searches/autumn/propose" not in page
    assert client.post("/searches/autumn/propose", data=proof).status_code == 403
    assert [one.name for one in list_arms(world) if one.name.startswith("search-")] == []


def test_a_program_proposes_over_http_and_is_told_what_became_of_it(client: TestClient, world: Context) -> None:
    program = {"Authorization": f"Bearer {new_token(world, 'loop', Role.ADMIN)}", "accept": "application/json"}
    done = client.post("/v1/searches/autumn/propose", json={}, headers=program)
    assert done.status_code == 201, done.text
    told = done.json()
    assert (told["arm"], told["proposal"]["stage"], told["proposal"]["experiment"]) == (
        "search-autumn",
        "draft",
        "draft",
    )
    assert client.get("/v1/searches/autumn", headers=program).json() == told
    for name, given, status in (("autumn", {}, 409), ("winter", {}, 409), ("winter", {"anyway": True}, 201)):
        assert client.post(f"/v1/searches/{name}/propose", json=given, headers=program).status_code == status
    assert client.post("/v1/searches/spring/propose", json={}, headers=program).status_code == 404
    with world.database.begin() as transaction:
        assert [one.author for one in load_entries(transaction, "arm search-winter")] == ["token loop"]
