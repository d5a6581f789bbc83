"""Who gets in, what each may do, and what of it is on record; each test talks to the whole application."""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import insert, text
from typer.testing import CliRunner

from facealbum.cli.commands import app as commands
from facealbum.domain.access import LOWEST, Caller, Right, Role
from facealbum.domain.ids import PersonId, family_id
from facealbum.errors import InvalidValueError, SignInError, TooManyAttemptsError, UnknownFamilyError
from facealbum.settings import Settings
from facealbum.steps.access import MOST_BY_ADDRESS, MOST_BY_NAME, SESSION, WINDOW, note_view, proof_of, sign_in
from facealbum.steps.context import Context
from facealbum.steps.users import (
    add_user,
    create_token,
    end_sessions,
    end_token,
    list_tokens,
    list_users,
    remove_user,
    set_password,
    set_role,
)
from facealbum.storage.audit import load_entries
from facealbum.storage.face_views import NO_PERSON, load_views
from facealbum.storage.families import delete_family, save_family
from facealbum.storage.schema import arms, embedding_spaces, persons
from facealbum.web import make_app
from facealbum.web.gate import PUBLIC
from facealbum.web.rights import requires
from facealbum.web.sessions import SESSION_COOKIE

MORI, TANAKA = family_id("Mori"), family_id("Tanaka")
NOW = datetime(2026, 11, 1, 12, 20, tzinfo=UTC)
PASSWORD, ANOTHER = "a long enough password", "another long password"
SETTING_S, MORI_S = "a-token-for-everything", "a-token-for-the-moris"


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> FastAPI:
    url = database_url.replace("+psycopg2", "")
    provider = {"oidc_issuer": "http://127.0.0.1:9", "oidc_client_id": "facealbum", "oidc_client_secret": "secret"}
    return make_app(
        Settings(
            data=tmp_path / "data", database_url=url, object_store=str(tmp_path / "objects"), web_threads=2, **provider
        )
    )


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A browser that keeps cookies and follows nothing, before an application with an admin and two families."""
    with TestClient(app, follow_redirects=False) as opened:
        world = at(opened, NOW)
        with world.database.begin() as transaction:
            for name in ("Mori", "Tanaka"):
                save_family(transaction, name, now=NOW)
        add_user(world, "ann", Role.ADMIN, password=PASSWORD, author="test")
        yield opened


def at(client: TestClient, moment: datetime) -> Context:
    """The application's world, in which it is now this moment."""
    state = client.app.state  # type: ignore[attr-defined]
    state.context = replace(state.context, clock=lambda: moment)
    return state.context  # type: ignore[no-any-return]


def log_in(client: TestClient, name: str = "ann", password: str = PASSWORD) -> int:
    """The status of the answer."""
    (csrf,) = re.findall('name="csrf" value="([^"]+)"', client.get("/login").text)
    return client.post("/login", data={"name": name, "password": password, "csrf": csrf}).status_code


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def allowed(role: Role, lowest: Role | None) -> bool:
    return lowest is None or list(Role).index(role) >= list(Role).index(lowest)


# --- The table --------------------------------------------------------------------------------------------------


def test_these_paths_and_no_others_are_public() -> None:
    pages = {"/login", "/login/oidc", "/login/oidc/callback", "/look"}
    assert pages | {"/healthz", "/readyz", "/metrics", "/openapi.json"} == PUBLIC


def test_the_document_shows_the_table() -> None:
    document = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
    rows = {cells[1]: cells[2:6] for line in document.splitlines() if len(cells := re.split(r" *\| *", line)) == 7}
    for right, lowest in LOWEST.items():
        assert rows[right] == ["yes" if allowed(role, lowest) else "" for role in Role]


# --- Programs ---------------------------------------------------------------------------------------------------


def test_a_token_is_told_once_and_kept_as_a_digest(client: TestClient) -> None:
    world = at(client, NOW)
    _, secret = create_token(world, "shop", Role.VIEWER, family=None, days=30, author="ann")
    with world.database.begin() as transaction:
        rows = transaction.execute(text("SELECT t::text FROM service_tokens t UNION SELECT a::text FROM audit a"))
        assert not [row for (row,) in rows if secret in row or secret.removeprefix("fat_") in row]
    assert client.get("/session", headers=bearer(secret)).status_code == 200
    assert client.get("/session", headers=bearer(secret + "x")).status_code == 303
    assert [one.used_at for one in list_tokens(world)] == [NOW]


def test_a_token_ends_by_time_by_being_revoked_and_with_its_family(client: TestClient) -> None:
    world = at(client, NOW)
    secrets = {
        name: create_token(world, name, Role.VIEWER, family=family, days=30, author="ann")[1]
        for name, family in (("old", None), ("bad", None), ("mori", "Mori"))
    }
    path = f"/v1/families/{MORI}/photos/{UUID(int=1)}"
    assert {client.get(path, headers=bearer(one)).status_code for one in secrets.values()} == {404}
    end_token(world, "bad", author="ann")
    assert client.get(path, headers=bearer(secrets["bad"])).status_code == 401
    with pytest.raises(InvalidValueError, match="in use"):
        end_token(world, "bad", author="ann")
    with world.database.begin() as transaction:
        delete_family(transaction, MORI)
    assert client.get(path, headers=bearer(secrets["mori"])).status_code == 401
    at(client, NOW + timedelta(days=30))
    assert client.get(path, headers=bearer(secrets["old"])).status_code == 401


def test_another_family_can_not_be_told_from_one_that_is_not_there(client: TestClient) -> None:
    _, secret = create_token(at(client, NOW), "mori", Role.ADMIN, family="Mori", days=1, author="ann")
    answers = [
        client.get(f"/v1/families/{family}/photos/{UUID(int=1)}", headers=bearer(secret)).text.replace(str(family), "")
        for family in (TANAKA, UUID(int=7))
    ]
    assert answers[0] == answers[1]
    assert "unknown_family" in answers[0]


def test_no_token_is_made_for_what_can_not_be(client: TestClient) -> None:
    world = at(client, NOW)
    create_token(world, "shop", Role.VIEWER, family=None, days=1, author="ann")
    for name, days in (("shop", 1), ("No Name", 1), ("x", 0), ("x", 5000)):
        with pytest.raises(InvalidValueError):
            create_token(world, name, Role.VIEWER, family=None, days=days, author="ann")
    with pytest.raises(UnknownFamilyError):
        create_token(world, "x", Role.VIEWER, family="nobody's", days=1, author="ann")
    assert len(list_tokens(world)) == 1


def test_a_token_of_the_settings_is_an_operator(database_url: str, tmp_path: Path) -> None:
    url = database_url.replace("+psycopg2", "")
    settings = Settings(data=tmp_path, database_url=url, api_tokens=f"{SETTING_S},{MORI_S}={MORI}")
    with TestClient(make_app(settings)) as client:
        page = client.get("/session", headers=bearer(SETTING_S)).text
        assert "setting" in page
        assert "operator" in page
        assert client.get("/session", headers=bearer(MORI_S)).status_code == 403


# --- People -----------------------------------------------------------------------------------------------------


def test_a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get(client: TestClient) -> None:
    assert client.get("/session").headers["location"] == "/login"
    (csrf,) = re.findall('name="csrf" value="([^"]+)"', client.get("/login").text)
    answer = client.post("/login", data={"name": "ann", "password": PASSWORD, "csrf": csrf})
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(SESSION_COOKIE))
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert "user ann" in client.get("/session").text
    with at(client, NOW).database.begin() as transaction:
        assert not transaction.execute(
            text("SELECT 1 FROM sessions s WHERE s::text LIKE '%' || :secret || '%'"),
            {"secret": client.cookies[SESSION_COOKIE]},
        ).first()


def test_over_https_the_cookie_is_never_sent_without(client: TestClient) -> None:
    client.base_url = "https://testserver"
    assert "Secure" in client.get("/login").headers["set-cookie"]
    assert log_in(client) == 303


def test_a_change_by_a_session_needs_the_proof_of_our_page(client: TestClient) -> None:
    log_in(client)
    session = client.cookies[SESSION_COOKIE]
    path = f"/v1/families/{MORI}/uploads/{UUID(int=1)}/complete"
    assert client.post(path).json()["code"] == "forbidden"
    for wrong in ("", "x", proof_of("another session"), "é"):
        assert client.post(path, headers={"X-CSRF-Token": wrong.encode()}).status_code == 403
        assert client.post("/logout", data={"csrf": wrong}).status_code == 403
    assert client.post(path, headers={"X-CSRF-Token": proof_of(session)}).json()["code"] == "unknown_upload"
    assert client.post("/logout", data={"csrf": proof_of(session)}).headers["location"] == "/login"
    client.cookies.set(SESSION_COOKIE, session)
    assert client.get("/session").status_code == 303


def test_the_form_is_taken_from_our_own_page_alone(client: TestClient) -> None:
    assert client.post("/login", data={"name": "ann", "password": PASSWORD}).status_code == 403
    client.get("/login")
    assert client.post("/login", data={"name": "ann", "password": PASSWORD, "csrf": "x"}).status_code == 403
    assert SESSION_COOKIE not in client.cookies


@pytest.mark.parametrize("end", ["time", "everywhere", "password", "removed", "ended"])
def test_a_session_ends(client: TestClient, end: str) -> None:
    log_in(client)
    here = client.cookies[SESSION_COOKIE]
    log_in(client)
    there = client.cookies[SESSION_COOKIE]
    world = at(client, NOW)
    if end == "time":
        at(client, NOW + SESSION)
    elif end == "everywhere":
        client.post("/logout", data={"csrf": proof_of(there), "everywhere": "true"})
    elif end == "password":
        set_password(world, "ann", ANOTHER, author="ann")
    elif end == "removed":
        add_user(world, "ben", Role.ADMIN, password=None, author="ann")
        remove_user(world, "ann", author="ben")
    else:
        assert end_sessions(world, "ann", author="ann") == 2
    for one in (here, there):
        client.cookies.set(SESSION_COOKIE, one)
        assert client.get("/session").status_code == 303
    if end == "password":
        assert log_in(client) == 401
        assert log_in(client, password=ANOTHER) == 303


def test_another_role_counts_at_once(client: TestClient) -> None:
    world = at(client, NOW)
    add_user(world, "ben", Role.OPERATOR, password=PASSWORD, author="ann")
    log_in(client, "ben")
    proof = {"X-CSRF-Token": proof_of(client.cookies[SESSION_COOKIE])}
    path = f"/v1/families/{MORI}/uploads/{UUID(int=1)}/complete"
    assert client.post(path, headers=proof).status_code == 404
    set_role(world, "ben", Role.REVIEWER, author="ann")
    assert client.post(path, headers=proof).status_code == 403


def test_a_refusal_does_not_tell_who_is_a_user(client: TestClient) -> None:
    world = at(client, NOW)
    add_user(world, "ben", Role.VIEWER, password=None, author="ann")
    refused = []
    for name, password in (("ann", "wrong"), ("nobody", PASSWORD), ("ben", ""), ("", ""), ("x\x00" * 100, "x" * 9000)):
        (csrf,) = re.findall('name="csrf" value="([^"]+)"', client.get("/login").text)
        answer = client.post("/login", data={"name": name, "password": password, "csrf": csrf})
        refused.append((answer.status_code, re.sub('value="[^"]+"', "", answer.text)))
    assert len(set(refused)) == 1
    assert refused[0][0] == 401


def test_whoever_tries_too_often_waits_user_or_not(client: TestClient) -> None:
    world = at(client, NOW)
    add_user(world, "ben", Role.VIEWER, password=PASSWORD, author="ann")
    for name in ("ann", "nobody"):
        assert [log_in(client, name, "wrong") for _ in range(MOST_BY_NAME + 1)] == [401] * MOST_BY_NAME + [429]
        assert log_in(client, name) == 429
    assert log_in(client, "ben") == 303
    at(client, NOW + WINDOW)
    assert log_in(client) == 303


def test_attempts_at_the_same_time_are_all_counted(context: Context) -> None:
    def attempt(number: int) -> str:
        try:
            return sign_in(context, "ann", "wrong", address=f"address {number % 3}")
        except (SignInError, TooManyAttemptsError) as error:
            return error.code

    with ThreadPoolExecutor(8) as threads:
        answers = Counter(threads.map(attempt, range(40)))
    assert answers == {"wrong_sign_in": MOST_BY_NAME, "too_many_attempts": 40 - MOST_BY_NAME}


def test_one_address_can_not_try_many_names_and_those_who_succeed_do_not_count(client: TestClient) -> None:
    at(client, NOW)
    for _ in range(MOST_BY_NAME + 1):
        assert log_in(client) == 303
    tried = [log_in(client, f"name{number}", "wrong") for number in range(MOST_BY_ADDRESS + 1)]
    assert tried == [401] * MOST_BY_ADDRESS + [429]
    assert log_in(client) == 429


def test_an_unknown_caller_s_form_is_small(client: TestClient) -> None:
    assert client.post("/login", data={"name": "x" * 20_000}).status_code == 413
    untold = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/login", content=iter([b"x" * 9000] * 10), headers=untold).status_code == 413


# --- Users ------------------------------------------------------------------------------------------------------


def test_the_first_user_is_an_admin_and_the_last_admin_stays(context: Context) -> None:
    with pytest.raises(InvalidValueError, match="admin"):
        add_user(context, "ben", Role.OPERATOR, password=None, author="test")
    add_user(context, "ann", Role.ADMIN, password=None, author="test")
    add_user(context, "ben", Role.OPERATOR, password=None, author="test")
    with pytest.raises(InvalidValueError, match="last admin"):
        remove_user(context, "ann", author="test")
    with pytest.raises(InvalidValueError, match="last admin"):
        set_role(context, "ann", Role.VIEWER, author="test")
    set_role(context, "ben", Role.ADMIN, author="test")
    remove_user(context, "ann", author="test")
    assert [(one.name, one.role) for one in list_users(context)] == [("ben", Role.ADMIN)]


def test_no_user_is_what_can_not_be(context: Context) -> None:
    add_user(context, "ann", Role.ADMIN, password=PASSWORD, author="test")
    for name, password in (("ann", PASSWORD), ("Ann", PASSWORD), ("", PASSWORD), ("ben", "short"), ("ben", "x" * 1001)):
        with pytest.raises(InvalidValueError):
            add_user(context, name, Role.VIEWER, password=password, author="test")
    for change in (set_password, remove_user, end_sessions):
        arguments = (PASSWORD,) if change is set_password else ()
        with pytest.raises(InvalidValueError, match="nobody"):
            change(context, "nobody", *arguments, author="test")
    (ann,) = list_users(context)
    assert (ann.password or "").startswith("$argon2id$")
    assert PASSWORD not in repr(ann)


def test_once_somebody_is_registered_nobody_else_gets_in(app: FastAPI) -> None:
    with TestClient(app) as client:
        world = at(client, NOW)
        path = f"/v1/families/{MORI}/photos/{UUID(int=1)}"
        assert client.get(path).status_code == 404
        assert client.get(path, headers={"Origin": "https://evil.example"}).status_code == 403
        create_token(world, "shop", Role.VIEWER, family=None, days=1, author="test")
        assert client.get(path).status_code == 401
        end_token(world, "shop", author="test")
        assert client.get(path).status_code == 401


# --- On record --------------------------------------------------------------------------------------------------


def test_every_change_is_on_record_with_who_did_it(client: TestClient) -> None:
    log_in(client)
    client.post("/logout", data={"csrf": proof_of(client.cookies[SESSION_COOKIE])})
    world = at(client, NOW)
    create_token(world, "shop", Role.VIEWER, family="Mori", days=1, author="ann")
    set_password(world, "ann", ANOTHER, author="ann")
    with world.database.begin() as transaction:
        entries = [(one.author, one.action, one.subject) for one in load_entries(transaction)]
        assert entries == [
            ("test", "add", "user ann"),
            ("user ann", "sign_in", "user ann"),
            ("user ann", "sign_out", "user ann"),
            ("ann", "create", "token shop"),
            ("ann", "password", "user ann"),
        ]
        assert "Mori" not in str(load_entries(transaction))


def test_a_view_of_faces_is_on_record_once_an_hour_and_goes_with_the_family(app: FastAPI, client: TestClient) -> None:
    path = "/v1/families/{family_id}/people/{person_id}"
    app.get(path, dependencies=[requires(Right.SEE_FACES)])(lambda: "faces")
    app.get("/v1/families/{family_id}/people", dependencies=[requires(Right.SEE_FACES)])(lambda: "faces")
    world = at(client, NOW)
    person = PersonId(UUID(int=5))
    with world.database.begin() as transaction:
        space = transaction.execute(insert(embedding_spaces).values(name="s").returning(embedding_spaces.c.space_id))
        new = insert(arms).values(name="a", space_id=space.scalar_one(), algorithm="constrained", parameters={})
        arm = transaction.execute(new.returning(arms.c.arm_id)).scalar_one()
        transaction.execute(insert(persons).values(family_id=MORI, person_id=person, arm_id=arm))
    log_in(client)
    for moment in (NOW, NOW + timedelta(minutes=39), NOW + timedelta(minutes=40)):
        at(client, moment)
        assert client.get(path.format(family_id=MORI, person_id=person)).status_code == 200
    client.get(f"/v1/families/{MORI}/people")
    client.get(path.format(family_id=MORI, person_id=UUID(int=6)))  # no such person, so nobody was seen
    client.get(path.format(family_id=UUID(int=7), person_id=person))
    hour = NOW.replace(minute=0)
    with world.database.begin() as transaction:
        seen = [(one.viewer, one.person_id, one.hour) for one in load_views(transaction, MORI)]
        assert sorted(seen, key=str) == sorted(
            [
                ("user ann", person, hour),
                ("user ann", person, hour + timedelta(hours=1)),
                ("user ann", NO_PERSON, hour + timedelta(hours=1)),
            ],
            key=str,
        )
        delete_family(transaction, MORI)
        assert load_views(transaction, MORI) == []
    note_view(world, Caller("user ann", Role.ADMIN), MORI, None)


# --- Headers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/login", "/session", "/v1/nothing", "/openapi.json"])
def test_every_answer_tells_a_browser_to_run_nothing_and_keep_nothing(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert {"default-src 'none'", "frame-ancestors 'none'"} <= {part.strip() for part in policy.split(";")}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


# --- Commands ---------------------------------------------------------------------------------------------------


def test_the_commands_add_change_and_remove(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEALBUM_DATABASE_URL", database_url.replace("+psycopg2", ""))
    monkeypatch.setenv("FACEALBUM_DATA", str(tmp_path))
    runner = CliRunner()

    def run(*words: str, given: str = "") -> str:
        done = runner.invoke(commands, words, input=given, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    run("user", "add", "ann", "--role", "admin", given=f"{PASSWORD}\n")
    run("user", "add", "cleo@example.org", "--no-password")
    run("user", "add", "ben", given=f"{PASSWORD}\n")
    run("user", "role", "ben", "reviewer")
    run("user", "password", "ben", given="another long password\n")
    assert "0 sessions" in run("user", "logout", "ben")
    assert re.search(r"ben +reviewer", run("user", "list"))
    assert PASSWORD not in run("user", "list", "--json")
    run("user", "remove", "ben")
    assert "ben" not in run("user", "list")
    made = run("token", "create", "shop", "--role", "viewer", "--days", "7")
    (secret,) = re.findall(r"fat_\S+", made)
    assert secret not in run("token", "list", "--json")
    assert re.search(r"shop +viewer +all", run("token", "list"))
    run("token", "revoke", "shop")
    assert "revoked" in run("token", "list")
