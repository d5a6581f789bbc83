"""An arm is made on its page as its command makes it; what may be changed is told with its bounds, over HTTP, too."""

import re
from html import unescape

from sqlalchemy import select

from facealbum.domain.access import Role
from facealbum.steps.arm_plans import FOLLOWING, ArmPlan
from facealbum.steps.arms import create_arm, list_arms
from facealbum.steps.context import Context
from facealbum.storage.audit import load_entries
from facealbum.storage.observations import load_arm
from facealbum.storage.registry_schema import model_versions
from tests.integration.everything import Everything
from tests.integration.web_album import new_token

JAPANESE = {"accept-language": "ja"}


def world_of(everything: Everything) -> Context:
    return everything.app.state.context  # type: ignore[no-any-return]


def filled_in(page: str, **given: str) -> dict[str, list[str] | str]:
    """The form as a browser sends it: every parameter, and what is given beside it."""
    named = re.findall(r'name="parameter" value="([^"]+)"', page)
    values = {key.replace("__", "."): value for key, value in given.items()}
    fields = {key: values.pop(key) for key in [*values] if key not in named}
    return {"algorithm": "constrained", "sure": "yes", **fields, "parameter": named} | {
        "value": [values.get(key, "") for key in named]
    }


def test_an_arm_of_the_page_is_the_arm_of_the_command(everything: Everything) -> None:
    client, world = everything.client, world_of(everything)
    page = client.get("/new-arm").text
    given = filled_in(page, name="page", similarity="0.31", min_faces="3", linking__threshold=".9")
    made = client.post("/new-arm", data=given)
    assert (made.status_code, made.headers["location"]) == (303, "/models")
    changes = {"similarity": 0.31, "min_faces": 3, "linking.threshold": 0.9}
    create_arm(world, "command", algorithm="constrained", changes=changes, author="operator")
    with world.database.begin() as transaction:
        one, other = (load_arm(transaction, name) for name in ("page", "command"))
        (entry,) = load_entries(transaction, "arm page")
    assert one
    assert other
    assert (one.algorithm, one.space_id, one.parameters) == (other.algorithm, other.space_id, other.parameters)
    assert (entry.action, entry.author, entry.detail["changes"]) == ("create", "token tests", changes)
    assert "page" in client.get("/models").text
    assert 'value="page"' in client.get("/new-experiment").text


WRONG = [
    ({"name": "Big"}, "an arm's name must be lower-case letters", "英小文字"),
    ({"name": "stricter"}, "there is an arm 'stricter'", "既にあり"),
    ({"name": "x", "similarity": "2"}, "similarity must be between -1 and 1, got 2.0", "-1以上1以下"),
    ({"name": "x", "min_faces": "1"}, "min_faces must be 2 or more, got 1", "2以上"),
    ({"name": "x", "min_faces": "2.5"}, "min_faces must be a whole number, got 2.5", "整数"),
    ({"name": "x", "similarity": "much"}, "similarity must be a number", "数値"),
    ({"name": "x", "algorithm": "magic"}, "an algorithm must be one of constrained, hdbscan", "アルゴリズムは"),
    ({"name": "x", "space": "none"}, "none", "モデル"),
    ({"name": "x", "calibrator": "99"}, "99", "モデル"),
    ({"name": "x", "sure": ""}, "this needs to be confirmed", "確認"),
]
"""What is filled in, and what the page then tells in English and in Japanese."""


def test_what_cannot_be_is_told_above_the_form_as_it_was_filled_in(everything: Everything) -> None:
    client = everything.client
    before, form = list_arms(world_of(everything)), client.get("/new-arm").text
    for given, english, japanese in WRONG:
        sent = filled_in(form, linking__threshold="0.95", **given)
        told = client.post("/new-arm", data=sent)
        assert 400 <= told.status_code < 500, given
        page = unescape(told.text)
        assert english in page
        assert f'name="name" value="{given["name"]}"' in page
        assert 'name="value" value="0.95"' in page
        assert japanese in client.post("/new-arm", data=sent, headers=JAPANESE).text, given
    assert list_arms(world_of(everything)) == before


def test_who_may_not_manage_can_make_none(everything: Everything) -> None:
    client, world = everything.client, world_of(everything)
    sent = filled_in(client.get("/new-arm").text, name="mine")
    client.headers["Authorization"] = f"Bearer {new_token(world, 'op', Role.OPERATOR)}"
    assert client.get("/new-arm").status_code == 403
    assert client.post("/new-arm", data=sent).status_code == 403
    assert "/new-arm" not in client.get("/models").text


def test_the_models_to_choose_from_are_those_that_were_trained(everything: Everything) -> None:
    page = everything.client.get("/new-arm").text
    for kind in ("calibrator", "quality"):
        offered = re.search(rf'name="{kind}".*?</select>', page, re.DOTALL)
        assert offered
        with world_of(everything).database.begin() as transaction:
            trained = select(model_versions.c.model_id).where(
                model_versions.c.kind == kind, model_versions.c.source != "packaged"
            )
            ids = {str(one) for one in transaction.execute(trained).scalars()}
        assert set(re.findall(r'value="(\d+)"', offered[0])) == ids
    assert "fused-512" in page


def test_programs_are_told_what_may_be_changed_and_within_which_bounds(everything: Everything) -> None:
    told = everything.client.get("/v1/arms/parameters").json()
    plan = ArmPlan().parameters()
    assert {one["key"] for one in told} == {
        name if group == "clustering" else f"{group}.{name}"
        for group, values in plan.items()
        for name, value in values.items()
        if not isinstance(value, list)
    }
    by_key = {one["key"]: one for one in told}
    assert by_key["similarity"] == {
        "key": "similarity",
        "about": "mean cosine similarity from which two groups, or a group and a person, are one",
        "default": plan["clustering"]["similarity"],
        "low": -1,
        "high": 1,
        "whole": False,
    }
    assert (by_key["min_faces"]["high"], by_key["min_faces"]["whole"]) == (None, True)
    for key, end in (("linking.threshold", 0.4), ("max_yaw", 181), ("breakage.min_nodes", 0)):
        body = {"name": "x", "changes": {key: end}}
        assert everything.client.post("/v1/arms", json=body).json()["code"] == "invalid_value"
    assert everything.client.get("/v1/arms/parameters?space=none").status_code == 409
    assert everything.client.post("/v1/arms", json={"name": "x", "quality": "none"}).json()["code"] == "unknown_model"
    assert {one.name for one in list_arms(world_of(everything))} & {"x", *FOLLOWING} <= {*FOLLOWING}
