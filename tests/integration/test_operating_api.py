"""What operators and admins do over HTTP: each rule is the steps' own, told as a status and a code."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from facealbum.domain.access import Role
from facealbum.domain.model_versions import ModelKind
from facealbum.domain.months import Month
from facealbum.steps.access import caller_of_token
from facealbum.steps.batches import start_batch, work_through
from facealbum.steps.registry import NewModel, register_model
from facealbum.storage.audit import load_entries
from facealbum.storage.batch_families import fail_family, hand_out
from tests.integration.album import FAMILY_ID
from tests.integration.everything import Everything
from tests.integration.test_calibrators import calibrator
from tests.integration.test_predictors import HARSH
from tests.integration.web_album import NOW, at, new_token


@pytest.fixture
def client(everything: Everything) -> TestClient:
    """By the token of an admin, before a world that has one of everything."""
    return everything.client


def told(answer: Any, status: int = 200) -> Any:  # noqa: ANN401 - of whichever httpx there is; JSON
    assert answer.status_code == status, answer.text
    return answer.json()


def refused(answer: Any, status: int) -> str:  # noqa: ANN401 - as above
    return str(told(answer, status)["code"])


def pages(client: TestClient, path: str, *, limit: int, **given: str) -> list[list[dict[str, Any]]]:
    """The items of every page."""
    found, after = [], None
    while not found or after:
        page = told(client.get(path, params={**given, "limit": limit, **({"after": after} if after else {})}))
        found.append(page["items"])
        after = page["next"]
    return found


def test_a_monthly_job_is_started_once_steered_and_listed_newest_first(client: TestClient) -> None:
    started = told(client.post("/v1/runs", json={"month": "2026-04"}), 202)
    assert (started["run"], started["status"], started["families"]["left"]) == (2, "running", 2)
    assert told(client.post("/v1/runs", json={"month": "2026-04"}), 202)["run"] == 2
    assert told(client.post("/v1/runs/2/pause"))["status"] == "paused"
    assert refused(client.post("/v1/runs/2/pause"), 409) == "conflict"
    assert told(client.post("/v1/runs/2/resume"))["status"] == "running"
    assert told(client.post("/v1/runs/2/cancel"))["status"] == "cancelled"
    assert [one["run"] for (one,) in pages(client, "/v1/runs", limit=1)] == [2, 1]
    assert told(client.get("/v1/runs/1"))["families"] == {"done": 2, "failed": 0, "left": 0}
    assert refused(client.get("/v1/runs/3"), 404) == "unknown_run"
    assert refused(client.post("/v1/runs", json={"month": "2027-01"}), 422) == "invalid_value"
    by = [one["author"] for one in told(client.get("/v1/audit", params={"subject": "run 2"}))["items"]]
    assert set(by) == {"token tests"}


def test_families_that_failed_are_told_with_their_reason_and_tried_again(client: TestClient) -> None:
    world, month = at(client, NOW), Month(2026, 4)
    batch = start_batch(world, month)
    with world.database.begin() as transaction:
        hand_out(transaction, batch, 10, now=NOW)
        fail_family(transaction, batch.batch_id, FAMILY_ID, ("killed", "by a test"), now=NOW)
    (one,) = told(client.get(f"/v1/runs/{batch.number}/failures"))["items"]
    assert (one["family_id"], one["code"]) == (str(FAMILY_ID), "killed")
    assert told(client.get(f"/v1/runs/{batch.number}"))["failures"][0]["families"] == 1
    assert told(client.post(f"/v1/runs/{batch.number}/retry"))["families"]["failed"] == 0
    work_through(world, batch)
    assert told(client.get(f"/v1/runs/{batch.number}"))["families"]["done"] == 2


def test_what_could_not_be_done_is_told_by_reason_and_needs_queues_to_go_back_to(client: TestClient) -> None:
    jobs = told(client.get("/v1/jobs"))
    assert [(one["queue"], one["code"], one["messages"]) for one in jobs["parked"]] == [("clustering", "killed", 1)]
    assert [(one["stage"], one["code"], one["photos"]) for one in jobs["photos"]] == [("analysis", "damaged_image", 1)]
    (message,) = told(client.get("/v1/jobs/parked", params={"queue": "clustering"}))["items"]
    assert (message["family_id"], message["attempts"]) == (str(FAMILY_ID), 5)
    (photo,) = told(client.get("/v1/jobs/photos", params={"code": "damaged_image"}))["items"]
    assert photo["family_id"] == str(FAMILY_ID)
    assert not told(client.get("/v1/jobs/photos", params={"code": "other"}))["items"]
    for what in ({}, {"what": "photos", "queue": "events"}):
        assert refused(client.post("/v1/jobs/requeue", json=what), 409) == "conflict"
    world = at(client, NOW)
    settings = world.settings.model_copy(update={"broker_url": "redis://nowhere"})
    client.app.state.context = replace(world, settings=settings)  # type: ignore[attr-defined]
    assert told(client.post("/v1/jobs/requeue", json={"queue": "analysis"}))["requeued"] == 0
    assert told(client.post("/v1/jobs/requeue", json={"family_id": str(FAMILY_ID)}))["requeued"] == 1
    assert not told(client.get("/v1/jobs/parked"))["items"]


def test_a_figure_leads_to_families_and_faces(client: TestClient) -> None:
    found = [one for page in pages(client, "/v1/metrics", limit=7, month="2026-02") for one in page]
    keys = [(one["metric"], one["slice"]) for one in found]
    assert len(keys) == len(set(keys))
    assert keys == sorted(keys)
    (coverage,) = [one for one in found if (one["metric"], one["slice"]) == ("coverage", "")]
    assert 0 <= coverage["low"] <= coverage["value"] <= coverage["high"] <= 1
    (family,) = told(client.get("/v1/metrics/coverage/families?month=2026-02"))["items"]
    assert (family["family_id"], family["cases"]) == (str(FAMILY_ID), coverage["cases"])
    cases = told(client.get(f"/v1/families/{FAMILY_ID}/metrics/coverage/cases?month=2026-02"))["items"]
    assert sum(len(one["faces"]) for one in cases) == coverage["cases"] - coverage["total"]
    months = told(client.get("/v1/metrics/coverage/months"))["items"]
    assert [one["month"] for one in months] == sorted(one["month"] for one in months)
    kinds = {(one["month"], one["kind"]) for one in told(client.get("/v1/breakage"))["items"]}
    assert ("2026-03", "mixing") in kinds
    assert refused(client.get("/v1/metrics?month=2020-01"), 404) == "nothing_measured"
    assert refused(client.get("/v1/metrics/beauty/months"), 422) == "invalid_value"
    assert told(client.get("/v1/metrics/alarms"))["month"] == "2026-03"


def test_an_experiment_goes_from_agreement_to_its_end_over_http(client: TestClient) -> None:
    agreed = {
        "name": "bolder",
        "arms": [{"name": "default", "share": 0.5}, {"name": "stricter", "share": 0.5}],
        "metric": "breakage",
        "minimum_effect": 0.01,
        "months": 2,
        "families": 10,
    }
    dry = told(client.post("/v1/experiments", json=agreed | {"dry_run": True}))
    assert dry["plan"]["guardrails"][0]["metric"] == "coverage"
    assert refused(client.get("/v1/experiments/bolder"), 404) == "unknown_experiment"
    assert refused(client.get("/v1/searches/bolder"), 404) == "unknown_search"
    told(client.post("/v1/experiments", json=agreed), 201)
    assert refused(client.post("/v1/experiments", json=agreed), 409) == "conflict"
    assert refused(client.post("/v1/experiments", json=agreed | {"name": "x", "metric": "beauty"}), 422)
    assert told(client.post("/v1/experiments/bolder/start", json={}))["experiment"]["status"] == "running"
    assert refused(client.post("/v1/experiments/bolder/grow", json={"traffic": 0.5}), 422) == "invalid_value"
    shown = told(client.post("/v1/experiments/bolder/conclude", json={}))
    assert shown["experiment"]["status"] == "concluded"
    assert shown["verdicts"]["stricter"]["outcome"] == "undecided"
    assert refused(client.post("/v1/experiments/bolder/stop"), 409) == "conflict"
    assert told(client.post("/v1/experiments/bolder/rollback"))["experiment"]["status"] == "rolled_back"
    assert [one["name"] for (one,) in pages(client, "/v1/experiments", limit=1)] == ["bolder", "sharper"]


def test_an_arm_is_promoted_and_taken_back_with_who_did_it(client: TestClient) -> None:
    made = told(client.post("/v1/arms", json={"name": "wider", "changes": {"similarity": 0.25}}), 201)
    assert (made["installed"], made["parameters"]["clustering"]["similarity"]) == (False, 0.25)
    assert refused(client.post("/v1/arms", json={"name": "wider"}), 409) == "conflict"
    assert refused(client.post("/v1/arms", json={"name": "x", "space": "none"}), 409) == "model_not_installed"
    assert refused(client.post("/v1/arms", json={"name": "x", "calibrator": "none"}), 404) == "unknown_model"
    assert refused(client.post("/v1/arms", json={"name": "x", "calibrator": "1"}), 422) == "invalid_value"
    assert refused(client.post("/v1/arms/nobody/promote"), 404) == "unknown_arm"
    promoted = told(client.post("/v1/arms/wider/promote"))
    assert (promoted["arm"], promoted["author"]) == ("wider", "token tests")
    assert [one["name"] for one in told(client.get("/v1/arms"))["items"] if one["installed"]] == ["wider"]
    assert told(client.post("/v1/arms/rollback"))["undoes"] == promoted["number"]
    assert refused(client.post("/v1/arms/rollback"), 409) == "conflict"
    assert told(client.get("/v1/arms/promotions"))["items"][0]["arm"] == "default"


def test_an_arm_goes_by_what_was_trained_and_tells_it(client: TestClient) -> None:
    world = client.app.state.context  # type: ignore[attr-defined]
    for kind, content in ((ModelKind.CALIBRATOR, calibrator().content()), (ModelKind.QUALITY, HARSH.content())):
        register_model(world, NewModel(kind, f"own-{kind}", content, "Apache-2.0", research_only=False, source="test"))
    given = {"calibrator": "own-calibrator", "quality": "own-quality@1"}
    made = told(client.post("/v1/arms", json={"name": "trained", **given}), 201)
    assert (made["calibrator"], made["quality"]) == ("own-calibrator@1", "own-quality@1")
    (listed,) = (one for one in told(client.get("/v1/arms"))["items"] if one["name"] == "trained")
    assert listed == made
    plain = told(client.post("/v1/arms", json={"name": "plain"}), 201)
    assert (plain["calibrator"], plain["quality"]) == (None, None)
    assert refused(client.post("/v1/arms", json={"name": "x", "quality": "none"}), 404) == "unknown_model"
    wrong = client.post("/v1/arms", json={"name": "x", "quality": "own-calibrator"})
    assert refused(wrong, 422) == "invalid_value"
    assert "must be a trained model of the kind quality, it is of the kind calibrator" in wrong.json()["detail"]


def test_an_answer_is_the_caller_s_whatever_it_says(client: TestClient) -> None:
    (item, *_) = told(client.get("/v1/annotation/samples/first/items"))["items"]
    path = f"/v1/annotation/samples/first/items/{item['item_id']}/label"
    assert told(client.put(path, json={"answer": "no"}))["annotator"] == "token tests"
    assert told(client.put(path, json={"answer": "yes"}))["answer"] == "yes"
    assert told(client.get("/v1/annotation/samples/first"))["labelled"] == 1
    assert refused(client.put(path, json={"answer": "yes", "odd": [1]}), 422) == "invalid_value"
    unknown = path.replace(item["item_id"], str(FAMILY_ID))
    assert refused(client.put(unknown, json={"answer": "yes"}), 404) == "unknown_item"
    assert refused(client.get("/v1/annotation/samples/first/estimate"), 422) == "invalid_value"
    for one in told(client.get("/v1/annotation/samples/first/items"))["items"]:
        told(client.put(path.replace(item["item_id"], one["item_id"]), json={"answer": "yes"}))
    estimate = told(client.post("/v1/annotation/samples/first/conclude"))
    assert estimate["response"] == 1
    assert refused(client.post("/v1/annotation/samples/first/conclude"), 409) == "conflict"
    assert told(client.get("/v1/annotation/samples"))["items"][0]["concluded_at"]


def test_a_user_is_added_changed_and_removed_and_the_last_admin_stays(client: TestClient) -> None:
    new = {"name": "cleo", "role": "viewer", "password": "a long enough password"}
    assert told(client.post("/v1/users", json=new), 201)["has_password"]
    assert refused(client.post("/v1/users", json=new), 409) == "conflict"
    assert refused(client.post("/v1/users", json=new | {"name": "dan", "password": "short"}), 422) == "invalid_value"
    assert told(client.patch("/v1/users/cleo", json={"role": "operator"}))["role"] == "operator"
    assert told(client.delete("/v1/users/cleo/sessions"))["sessions"] == 0
    assert client.delete("/v1/users/cleo").status_code == 204
    assert refused(client.patch("/v1/users/cleo", json={"role": "viewer"}), 404) == "unknown_user"
    assert refused(client.delete("/v1/users/ann"), 409) == "conflict"
    assert [one["name"] for (one,) in pages(client, "/v1/users", limit=1)] == ["ann", "ben"]


def test_a_token_is_told_once_even_with_a_key_and_ends_at_once(client: TestClient) -> None:
    new = {"name": "printer", "role": "viewer", "days": 30, "family_id": str(FAMILY_ID)}
    keyed = {"Idempotency-Key": "of-a-token"}
    made = told(client.post("/v1/tokens", json=new, headers=keyed), 201)
    assert caller_of_token(at(client, NOW), made["secret"])
    assert "secret" not in client.post("/v1/tokens", json=new, headers=keyed).json()
    assert made["secret"] not in client.get("/v1/tokens").text
    own = {"Authorization": f"Bearer {made['secret']}"}
    assert client.get(f"/v1/families/{FAMILY_ID}", headers=own).status_code == 200
    assert client.delete("/v1/tokens/printer").status_code == 204
    assert client.get(f"/v1/families/{FAMILY_ID}", headers=own).status_code == 401
    assert refused(client.delete("/v1/tokens/printer"), 404) == "unknown_token"


def test_nothing_is_on_record_under_a_name_that_a_client_claims(client: TestClient) -> None:
    world = at(client, NOW)
    secret = new_token(world, "manager", Role.ADMIN)
    client.post("/v1/arms", json={"name": "mine", "author": "user ann"}, headers={"Authorization": f"Bearer {secret}"})
    with world.database.begin() as transaction:
        assert [one.author for one in load_entries(transaction, "arm mine")] == ["token manager"]


def test_health_and_models_say_what_the_doctor_says(client: TestClient) -> None:
    health = told(client.get("/v1/health"))
    assert not health["fine"]  # a message is parked
    wrong = [one["detail"] for one in health["findings"] if not one["fine"]]
    assert len(wrong) == 1
    assert "1 clustering killed" in wrong[0]
    (used,) = [one for one in told(client.get("/v1/models"))["items"] if one["state"] == "in use"]
    assert used["licence"]
    files = told(client.get("/v1/models/files"))
    assert files["fine"]
    assert files["files"]
    (drift,) = told(client.get("/v1/drift"))["items"]
    assert (drift["month"], drift["against"], drift["alarms"]) == ("2026-03", "before", [])
