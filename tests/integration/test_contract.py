"""What holds for every route, page or API, whoever adds it: who gets in, what is documented, what is answered."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
import schemathesis
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from facealbum.domain.access import LOWEST, Right, Role
from facealbum.errors import ConflictError
from facealbum.steps.users import create_token
from facealbum.web import assets
from facealbum.web.gate import PUBLIC
from facealbum.web.rights import Requirement
from facealbum.web.world import _context
from tests.integration.album import FAMILY
from tests.integration.everything import OTHER, Everything, path_of

STATIC = assets.PATH + "{digest}/{name}"
HARMLESS = {"GET", "HEAD"}
CHANGES_NOTHING = {("POST", f"/v1/families/{{family_id}}/search{by}") for by in ("", "/picture")}


def rights_of(app: FastAPI) -> Mapping[tuple[str, str], Right | None]:
    """What each route asks for that isn't public."""
    found = {}
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute) and route.path not in {*PUBLIC, STATIC}:
            asked = [one.call.right for one in route.dependant.dependencies if isinstance(one.call, Requirement)]
            assert len(asked) == 1, f"{route.path} must ask for one right; see facealbum/web/rights.py"
            found.update({(method, route.path or ""): asked[0] for method in route.methods or ()})
    return found


# --- Who gets in ------------------------------------------------------------------------------------------------


class Untouchable:
    """Stands for the world, so that whoever is let through changes nothing of it."""

    def __init__(self, request: object) -> None:
        """As the dependency that it stands for is called."""

    def __getattr__(self, name: str) -> object:
        raise ConflictError("somebody was let through")


def all_dependants(app: FastAPI) -> Iterator[Dependant]:
    """What the routes ask for before they are called, and what that asks for."""
    waiting = [route.dependant for route in app.routes if isinstance(route, APIRoute)]
    while waiting:
        yield (one := waiting.pop())
        waiting += one.dependencies


def test_each_route_gives_each_role_and_family_exactly_what_the_table_says(
    everything: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, app = everything.client.app.state.context, everything.app  # type: ignore[attr-defined]
    callers: list[tuple[str | None, Role, str]] = [("nobody", Role.VIEWER, "")]
    for family in (None, FAMILY, "Tanaka"):
        for role in Role:
            secret = create_token(world, f"{family}-{role}".lower(), role, family=family, days=1, author="test")[1]
            callers.append((family, role, secret))
    for one in all_dependants(app):
        if one.call is _context:
            monkeypatch.setattr(one, "call", Untouchable)
    wrong = []
    for (method, path), right in rights_of(app).items():
        for scope, role, secret in callers:
            headers = {"Authorization": f"Bearer {secret}" if secret else ""}
            answer = everything.client.request(method, path_of(path, everything.places), headers=headers)
            told, expected = told_by(answer, path), expect(scope, role, right, path)
            if told != expected or answer.status_code >= 500:
                wrong.append(f"{method} {path} of {scope} {role}: {told} {answer.status_code}, not {expected}")
    assert not wrong, "\n".join(wrong)


def told_by(answer: Any, path: str) -> str:  # noqa: ANN401 - a response of whichever httpx there is
    """What the answer means; who logs out is led to the form as well."""
    if answer.status_code == 404 and "unknown_family" in answer.text:
        return "not there"
    led = answer.headers.get("location") == "/login" and path != "/logout"
    return {401: "unknown", 403: "forbidden", 303: "unknown" if led else "done"}.get(answer.status_code, "done")


def expect(scope: str | None, role: Role, right: Right | None, path: str) -> str:
    """What the answer must be, told again without the product's code."""
    if scope == "nobody":
        return "unknown"
    if "{family_id}" in path and scope == "Tanaka":
        return "not there"
    enough = right is None or list(Role).index(role) >= list(Role).index(LOWEST[right])
    too_wide = "{family_id}" not in path and right is not None and scope is not None
    return "done" if enough and not too_wide else "forbidden"


def test_whatever_changes_something_asks_for_more_than_to_see(everything: Everything) -> None:
    seeing = {Right.SEE_FIGURES, Right.SEE_FACES, None}
    loose = {key for key, right in rights_of(everything.app).items() if key[0] not in HARMLESS and right in seeing}
    assert loose == CHANGES_NOTHING | {("POST", "/logout")}


def test_what_is_of_one_family_is_not_there_for_another(everything: Everything) -> None:
    """By a token that is good for all, so that nothing but the family that is asked about keeps it apart."""
    places = {**everything.places, "families/{family_id}": str(OTHER)}
    of_a_thing = re.compile(r"\{family_id\}.*\{(?!metric)")
    inside = [(method, path) for method, path in rights_of(everything.app) if of_a_thing.search(path)]
    told = []
    for method, path in inside:
        found = everything.client.request(method, path_of(path, places))
        if found.status_code not in {404, 422}:  # without a body it may not come as far as 404
            told.append(f"{method} {path}: {found.status_code} {found.text[:200]}")
    assert inside
    assert not told, "\n".join(told)


# --- What is documented ------------------------------------------------------------------------------------------


def test_every_route_of_the_api_is_described_with_its_problems_and_examples(everything: Everything) -> None:
    document = everything.client.get("/openapi.json").json()
    operations = {f"{m.upper()} {path}": one for path, of in document["paths"].items() for m, one in of.items()}
    bare = [
        name
        for name, one in operations.items()
        if not ({"summary", "description", "tags"} <= one.keys() and {"401", "403"} <= one["responses"].keys())
    ]
    assert not bare, "each needs a docstring, tags and responses=responses(...)"
    untold = [name for name, one in operations.items() if not has_example(document, one)]
    assert not untold, "each body needs an example: of its fields, or as json_schema_extra of its model"
    assert not [name for name in operations if "/v1/" not in name]
    twice = [name for name in document["components"]["schemas"] if "__" in name and not name.startswith("Body_")]
    assert not twice, "two bodies are called alike: give one another name, as clients have classes of these names"


def has_example(document: Mapping[str, Any], operation: Mapping[str, Any]) -> bool:
    """Whether the operation's JSON body, if it has one, has an example as a whole or of each field."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is None or "examples" in body:
        return True
    schema = document["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
    return "examples" in schema or all(shows_itself(one) for one in schema["properties"].values())


def shows_itself(field: Mapping[str, Any]) -> bool:
    return bool({"examples", "default", "format", "enum", "$ref"} & field.keys()) or field.get("type") == "boolean"


# --- What is answered to anything -------------------------------------------------------------------------------

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
FATAL = "DELETE /v1/families/{family_id}"  # deletes objects, too, which other tests see
EXAMPLES = 5  # a route; `--hypothesis-profile=search` tries a hundred that are new, in some minutes


def test_every_answer_is_what_the_document_says(everything: Everything) -> None:
    api = schemathesis.openapi.from_dict(everything.app.openapi())
    many = EXAMPLES if settings.get_current_profile_name() == "same" else settings().max_examples
    failures: dict[str, str] = {}
    operations = [result.ok() for result in api.get_all_operations()]
    for operation in sorted(operations, key=lambda one: one.method == "delete"):  # so that the others find something
        try:
            ask(everything, operation, many)
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - all routes are told at once
            failures[operation.label] = "\n".join(map(str, getattr(error, "exceptions", [error])))
    assert not failures, "\n\n".join(f"{label}\n{failure}" for label, failure in failures.items())


def ask(everything: Everything, operation: Any, many: int) -> None:  # noqa: ANN401 - schemathesis' own
    """Send good and bad requests, half of them about something real."""
    places = (
        {**everything.places, "families/{family_id}": str(OTHER)} if operation.label == FATAL else everything.places
    )
    fine = operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
    bad = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

    @settings(
        max_examples=many,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
        database=None,
    )
    @given(case=st.one_of(fine, bad), real=st.booleans())
    def answers(case: Any, real: bool) -> None:  # noqa: ANN401, FBT001 - as Hypothesis calls it
        if real:
            pairs = zip(case.path.split("/"), path_of(case.path, places).split("/"), strict=True)
            case.path_parameters = {part.strip("{}"): found for part, found in pairs if part.startswith("{")}
        sent = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
        answer = everything.client.request(sent.method or "", sent.url or "", content=sent.body, headers=sent.headers)
        case.validate_response(answer, checks=CHECKS, excluded_checks=[negative_data_rejection] if real else [])

    answers()
