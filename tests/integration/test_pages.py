"""The frame of the dashboard's pages: languages, light, messages, problems, files, and who gets to see them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient

from facealbum.domain.access import Right, Role
from facealbum.domain.ids import family_id
from facealbum.settings import Settings
from facealbum.steps.access import proof_of
from facealbum.steps.context import Context
from facealbum.steps.users import add_user, create_token
from facealbum.storage.families import save_family
from facealbum.web import make_app
from facealbum.web.assets import asset_url
from facealbum.web.pages.page import lead_back
from facealbum.web.rights import requires
from facealbum.web.sessions import SESSION_COOKIE
from tests.conftest import NOW

MORI, TANAKA = family_id("Mori"), family_id("Tanaka")
PASSWORD = "a long enough password"  # noqa: S105 - of a test
PAGE = {"accept": "text/html"}


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> FastAPI:
    url = database_url.replace("+psycopg2", "")
    settings = Settings(data=tmp_path / "data", database_url=url, object_store=str(tmp_path / "objects"), web_threads=2)
    return make_app(settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A browser of this machine, where nobody is registered."""
    with TestClient(app, follow_redirects=False, headers=PAGE, base_url="http://localhost:8000") as opened:
        world_of(opened)
        yield opened


def world_of(client: TestClient) -> Context:
    state = client.app.state  # type: ignore[attr-defined]
    state.context = replace(state.context, clock=lambda: NOW)
    return state.context  # type: ignore[no-any-return]


def log_in(client: TestClient, role: Role = Role.ADMIN) -> str:
    """Register somebody and log in; the proof that forms need."""
    add_user(world_of(client), str(role), role, password=PASSWORD, author="test")
    (csrf,) = re.findall('name="csrf" value="([^"]+)"', client.get("/login").text)
    assert client.post("/login", data={"name": str(role), "password": PASSWORD, "csrf": csrf}).status_code == 303
    return proof_of(client.cookies[SESSION_COOKIE])


class Markup(HTMLParser):
    """What of a page the policy forbids, and what a screen reader needs."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forbidden: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        inline = tag == "style" or (tag == "script" and "src" not in given)
        if inline or any(name == "style" or name.startswith("on") for name in given):
            self.forbidden.append(self.get_starttag_text() or tag)


def test_a_page_has_its_landmarks_one_heading_and_nothing_inline(client: TestClient) -> None:
    for path in ("/session", "/login", "/nothing"):
        page = client.get(path)
        found = Markup(page.text)
        assert not found.forbidden
        assert [found.tags.count(tag) for tag in ("header", "main", "h1", "title")] == [1, 1, 1, 1]
        assert '<a class="skip" href="#main">' in page.text


def test_a_page_speaks_the_language_that_is_chosen(client: TestClient) -> None:
    assert '<html lang="en">' in client.get("/session").text
    assert '<html lang="ja">' in client.get("/session", headers={"accept-language": "ja-JP,ja;q=0.9"}).text
    answer = client.post("/look", data={"language": "ja", "back": "/session?x=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/session?x=1")
    page = client.get("/session").text
    assert "概要" in page
    assert "Overview" not in page


def test_a_page_is_light_or_dark_as_chosen_or_as_the_system_is(client: TestClient) -> None:
    assert "data-theme" not in client.get("/session").text
    for theme in ("dark", "light"):
        client.post("/look", data={"theme": theme})
        assert f'data-theme="{theme}"' in client.get("/session").text
    client.post("/look", data={"theme": "system"})
    assert "data-theme" not in client.get("/session").text


def test_nobody_is_led_to_another_site(client: TestClient) -> None:
    for back in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", ""):
        assert client.post("/look", data={"back": back}).headers["location"] == "/"


def test_whoever_logs_in_is_led_to_the_overview(client: TestClient) -> None:
    log_in(client)
    page = client.get("/session").text
    assert "user admin" in page
    assert "Log out everywhere" in page


def test_what_was_done_is_said_once_and_escaped(app: FastAPI, client: TestClient) -> None:
    @app.post("/done")
    def done(request: Request) -> Response:
        return lead_back(request, "/session", "Log in")

    client.post("/done", headers={"accept-language": "ja"})
    assert '<p class="told" role="status">ログイン</p>' in client.get("/session").text
    assert "told" not in client.get("/session").text
    client.cookies.set("facealbum-told", "%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script" not in client.get("/session").text


def test_a_problem_is_a_page_for_a_browser_and_json_for_a_program(client: TestClient) -> None:
    page = client.get("/nothing")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>Not Found</h1>" in page.text
    for path, headers in (("/nothing", {"accept": "*/*"}), ("/v1/nothing", PAGE)):
        assert client.get(path, headers=headers).headers["content-type"] == "application/problem+json"


def test_a_mistake_of_ours_is_a_page_that_tells_nothing(app: FastAPI, client: TestClient) -> None:
    @app.get("/broken", dependencies=[requires(None)])
    def broken() -> None:
        raise RuntimeError("secret")

    page = client.get("/broken")
    assert (page.status_code, "crashed" in page.text, "secret" in page.text) == (500, True, False)


def test_a_lacking_right_is_told_on_a_page(app: FastAPI, client: TestClient) -> None:
    app.get("/managed", dependencies=[requires(Right.MANAGE)])(lambda: "done")
    add_user(world_of(client), "ann", Role.ADMIN, password=None, author="test")
    log_in(client, Role.VIEWER)
    page = client.get("/managed")
    assert (page.status_code, "may not manage" in page.text) == (403, True)


def test_files_are_kept_for_ever_under_urls_that_change_with_them(client: TestClient) -> None:
    for name, kind in (("style.css", "text/css"), ("icon.svg", "image/svg+xml")):
        url = asset_url(name)
        assert url in client.get("/login").text
        answer = client.get(url)
        assert answer.headers["content-type"].startswith(kind)
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/0123456789abcdef/style.css").headers["cache-control"] == "no-store"
    assert client.get(asset_url("style.css").replace("style.css", "none.css")).status_code == 404
    assert client.get("/static/x/..%2F..%2Fgate.py").status_code == 404


# --- The gate --------------------------------------------------------------------------------------------------


def test_a_family_s_token_sees_no_page_of_another(app: FastAPI, client: TestClient) -> None:
    app.get("/families/{family_id}", dependencies=[requires(Right.SEE_FIGURES)])(lambda: "seen")
    world = world_of(client)
    with world.database.begin() as transaction:
        for name in ("Mori", "Tanaka"):
            save_family(transaction, name, now=NOW)
    _, secret = create_token(world, "mori", Role.VIEWER, family="Mori", days=1, author="test")
    headers = {"Authorization": f"Bearer {secret}", "accept": "*/*"}
    assert client.get(f"/families/{MORI}", headers=headers).status_code == 200
    other = client.get(f"/families/{TANAKA}", headers=headers)
    assert (other.status_code, other.json()["code"]) == (404, "unknown_family")


def test_where_nobody_is_registered_our_own_pages_alone_are_served(client: TestClient) -> None:
    """No other site's page, and none that leads its own name to this machine."""
    sent: list[tuple[str, str | None, int]] = [
        ("localhost:8000", None, 200),
        ("127.0.0.1:8000", "http://127.0.0.1:8000", 200),
        ("[::1]:8000", "http://[::1]:8000", 200),
        ("localhost:8000", "https://evil.example", 403),
        ("localhost:8000", "null", 403),
        ("localhost:8000", "http://localhost:9000", 403),
        ("evil.example:8000", "http://evil.example:8000", 403),
        ("evil.example", None, 403),
        ("", None, 403),
    ]
    for host, origin, status in sent:
        headers = {"host": host} | ({"origin": origin} if origin else {})
        assert client.get("/session", headers=headers).status_code == status, (host, origin)
