"""The operator's pages on a real installation: empty, with albums, with failures; and what their buttons do."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, update

from facealbum.domain.access import Role
from facealbum.domain.ids import family_id
from facealbum.domain.months import Month
from facealbum.settings import Settings
from facealbum.steps.access import proof_of
from facealbum.steps.arms import create_arm, list_promotions
from facealbum.steps.batch_progress import show_batch
from facealbum.steps.batches import start_batch, work_through
from facealbum.steps.context import Context
from facealbum.steps.dashboard import refresh
from facealbum.steps.outbox import list_parked, park
from facealbum.steps.signals import take_in
from facealbum.steps.users import add_user
from facealbum.storage.audit import load_entries
from facealbum.storage.families import save_family
from facealbum.storage.outbox import claim_messages
from facealbum.storage.photos import NewPhoto, save_photos
from facealbum.storage.queue_schema import batch_families
from facealbum.storage.schema import photo_problems, photos
from facealbum.storage.signals import Signal
from facealbum.web import make_app
from facealbum.web.sessions import SESSION_COOKIE
from tests.conftest import NOW
from tests.integration.album import FAMILY_ID, add, shots
from tests.integration.test_pages import Markup

PAGES = ("/", "/runs", "/jobs", "/models", "/drift", "/signals")
HOSTILE = "<script>alert(1)</script>"
PASSWORD = "a long enough password"  # noqa: S105 - of a test
OCTOBER = Month(2026, 10)


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    """A browser of this machine before a fresh installation."""
    url = database_url.replace("+psycopg2", "")
    settings = Settings(data=tmp_path / "data", database_url=url, object_store=str(tmp_path / "objects"), web_threads=2)
    headers = {"accept": "text/html"}
    app = make_app(settings)
    with TestClient(app, follow_redirects=False, headers=headers, base_url="http://localhost") as opened:
        app.state.context = replace(app.state.context, clock=lambda: NOW)
        yield opened


@pytest.fixture
def world(client: TestClient) -> Context:
    return client.app.state.context  # type: ignore[attr-defined,no-any-return]


def shown(client: TestClient, path: str) -> str:
    """A page that is well-formed, in both languages."""
    japanese = client.get(path, headers={"accept-language": "ja"})
    page = client.get(path)
    for one in (japanese, page):
        found = Markup(one.text)
        assert one.status_code == 200, (path, one.text)
        assert not found.forbidden, path
        assert [found.tags.count(tag) for tag in ("main", "h1")] == [1, 1], path
        assert found.tags.count("table") == found.tags.count("caption"), path
    return re.sub(r"\s+", " ", page.text)


def log_in(client: TestClient, world: Context, role: Role) -> str:
    """Register somebody, and the first time an admin; the proof that forms need."""
    if role is not Role.ADMIN:
        add_user(world, "root", Role.ADMIN, password=None, author="test")
    add_user(world, str(role), role, password=PASSWORD, author="test")
    (csrf,) = re.findall('name="csrf" value="([^"]+)"', client.get("/login").text)
    assert client.post("/login", data={"name": str(role), "password": PASSWORD, "csrf": csrf}).status_code == 303
    return proof_of(client.cookies[SESSION_COOKIE])


def press(client: TestClient, path: str, csrf: str, **fields: str) -> str:
    """Send a form of a page, and tell what the page that follows says was done."""
    answer = client.post(path, data={"csrf": csrf, **fields})
    assert answer.status_code == 303, answer.text
    (told,) = re.findall(r'role="status">([^<]*)<', client.get(answer.headers["location"]).text)
    return str(told)


# --- States ----------------------------------------------------------------------------------------------------


def test_a_fresh_installation_says_on_every_page_what_to_do_next(client: TestClient) -> None:
    said = {
        "/": ("facealbum import PHOTOS", "facealbum user add", "was never started"),
        "/runs": ("There is no run yet", "Start a run"),
        "/jobs": ("None. Whatever", "facealbum analyze"),
        "/models": ("There is no arm yet", "facealbum eval compat", "facealbum user add"),
        "/drift": ("facealbum drift check",),
        "/signals": ("POST /v1/signals",),
    }
    for path in PAGES:
        page = shown(client, path)
        assert [text for text in said[path] if text not in page] == [], path


def test_every_page_of_the_frame_is_there(client: TestClient) -> None:
    (links,) = re.findall(r"<nav aria-label=\"Pages\">(.*?)</nav>", shown(client, "/"))
    pages = re.findall(r'href="([^"]+)"', links)
    assert set(PAGES) <= set(pages)
    for path in pages:
        assert f'<a href="{path}" aria-current="page">' in shown(client, path), path


def test_an_installation_whose_every_photo_failed_leads_to_the_reasons(client: TestClient, world: Context) -> None:
    with world.database.begin() as transaction:
        family = save_family(transaction, HOSTILE, now=NOW).family_id
        one = NewPhoto(photo := family, HOSTILE, photo.bytes * 2, 1, NOW, "manifest")  # type: ignore[arg-type]
        save_photos(transaction, family, [one], now=NOW)
        transaction.execute(update(photos).values(status="failed"))
        problem = {"family_id": family, "photo_id": photo, "stage": "analysis", "code": "analysis_crashed"}
        transaction.execute(insert(photo_problems).values(**problem, detail="", noticed_at=NOW))
    refresh(world)
    assert "Every photo has failed" in shown(client, "/")
    page = shown(client, "/jobs?code=analysis_crashed")
    assert "Try crashed photos again" in page
    assert str(family) in page
    csrf = log_in(client, world, Role.OPERATOR)
    assert press(client, "/jobs/requeue", csrf, what="photos", sure="yes") == "Photos that will be tried again: 1."
    with world.database.begin() as transaction:
        assert [one.queue for one in claim_messages(transaction, 10)] == ["analysis"]


@pytest.fixture
def clustered(world: Context) -> int:
    """Two months of four people beside a family of a hostile name, run by one monthly job; its number."""
    add(world, shots(months=2, a_month=8))
    with world.database.begin() as transaction:
        save_family(transaction, HOSTILE, now=NOW)
    batch = start_batch(world, Month(2026, 2))
    work_through(world, batch)
    refresh(world)
    told = [Signal(FAMILY_ID, HOSTILE, f"t{n}", "album_view", NOW, 1.0) for n in range(3)]
    take_in(world, told)
    return batch.number


def test_an_installation_with_albums_shows_figures_with_counts_and_intervals(
    client: TestClient, clustered: int
) -> None:
    for path in (*PAGES, f"/runs/{clustered}", f"/families/{FAMILY_ID}/changes"):
        page = shown(client, path)
        assert HOSTILE not in page, path
        assert "&lt;script&gt;" in page or path != "/signals"
    page = shown(client, "/")
    assert re.search(r"<dt>coverage · Feb 2026</dt> <dd><strong>[\d.]+%</strong> <span>[\d.]+% – [\d.]+%</span>", page)
    assert page.count("<svg") == 3, "photos, breakage and coverage; nobody is linked where no child is registered"
    assert f'<a href="/runs/{clustered}">' in page
    assert "The month beside the one before" in shown(client, f"/runs/{clustered}")


@pytest.mark.usefixtures("clustered")
def test_a_family_s_changes_account_for_every_face_of_its_run(client: TestClient) -> None:
    at = f"/families/{FAMILY_ID}/changes"
    runs = re.findall(r"<tr>(.*?)</tr>", shown(client, at).split("<tbody>")[2])
    assert len(runs) == 2
    for run in runs:
        faces = int(re.findall(r">(\d+)</td>", run)[0])
        (link,) = re.findall(r'href="(\?run=[0-9a-f-]+)"', run)
        body = shown(client, at + link).split("<tbody>")[1].split("</tbody>")[0]
        assert sum(int(count) for count in re.findall(r"<strong>(\d+)</strong>", body)) == faces > 0
    missing = client.get(f"{at}?run={UUID(int=1)}")
    assert (missing.status_code, "expected a run" in missing.text) == (404, True)
    assert client.get(f"/families/{family_id('nobody')}/changes").status_code == 404


# --- Buttons ---------------------------------------------------------------------------------------------------


def test_an_operator_starts_and_steers_a_run_and_is_on_record(client: TestClient, world: Context) -> None:
    add(world, shots(months=1, a_month=2))
    csrf = log_in(client, world, Role.OPERATOR)
    assert press(client, "/runs", csrf, month="2026-10") == "Run 1 is under way."
    assert press(client, "/runs/1/pause", csrf) == "Run 1 is paused."
    assert "Go on" in shown(client, "/runs/1")
    assert press(client, "/runs/1/resume", csrf) == "Run 1 goes on."
    unsure = client.post("/runs/1/cancel", data={"csrf": csrf})
    assert (unsure.status_code, show_batch(world, 1).batch.status) == (422, "running")
    assert press(client, "/runs/1/cancel", csrf, sure="yes") == "Run 1 is cancelled; what it did stays."
    again = client.post("/runs/1/pause", data={"csrf": csrf})
    assert (again.status_code, "cancelled" in again.text) == (409, True)
    with world.database.begin() as transaction:
        record = [(one.action, one.author) for one in load_entries(transaction, "run 1")]
    assert record == [(action, "user operator") for action in ("start", "pause", "resume", "cancel")]
    assert "user operator" in shown(client, "/runs/1")


def test_families_that_failed_are_shown_by_reason_and_done_again(client: TestClient, world: Context) -> None:
    add(world, shots(months=1, a_month=2))
    batch = start_batch(world, OCTOBER)
    work_through(world, batch)
    with world.database.begin() as transaction:
        failed = {"status": "failed", "code": "crashed", "detail": HOSTILE, "finished_at": NOW}
        transaction.execute(update(batch_families).values(**failed))
    csrf = log_in(client, world, Role.OPERATOR)
    page = shown(client, "/runs/1")
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert f"/families/{FAMILY_ID}" in page
    assert press(client, "/runs/1/retry", csrf) == "Run 1 does the failed families again."
    assert show_batch(world, 1).failed == 0


def test_a_parked_message_is_requeued_once_somebody_is_sure(client: TestClient, world: Context) -> None:
    add(world, shots(months=1, a_month=1))
    park(world, "analysis", {"family_id": str(FAMILY_ID)}, error=("killed", HOSTILE), attempts=5)
    csrf = log_in(client, world, Role.OPERATOR)
    page = shown(client, "/jobs?queue=analysis")
    assert HOSTILE not in page
    assert "Requeue all of analysis" in page
    unsure = client.post("/jobs/requeue", data={"csrf": csrf, "what": "messages", "queue": "analysis"})
    assert (unsure.status_code, len(list_parked(world))) == (422, 1)
    told = press(client, "/jobs/requeue", csrf, what="messages", queue="analysis", sure="yes")
    assert told == "Messages that will be sent again: 1."
    assert not list_parked(world)
    with world.database.begin() as transaction:
        assert [one.author for one in load_entries(transaction, "messages")] == ["user operator"]


def test_an_admin_promotes_an_arm_and_takes_it_back(client: TestClient, world: Context, clustered: int) -> None:
    assert clustered
    create_arm(world, "sharper", algorithm="constrained", changes={"similarity": 0.3}, author="test")
    csrf = log_in(client, world, Role.ADMIN)
    assert "Promote the arm" in shown(client, "/models")
    assert client.post("/models/promote", data={"csrf": csrf, "arm": "sharper"}).status_code == 422
    assert "sharper" in press(client, "/models/promote", csrf, arm="sharper", sure="yes")
    assert (list_promotions(world)[0].arm, list_promotions(world)[0].author) == ("sharper", "user admin")
    page = shown(client, "/")
    assert "Under the arm default" in page
    assert "Families move to the arm sharper" in page
    assert "sharper" in press(client, "/models/rollback", csrf, sure="yes")
    assert list_promotions(world)[0].arm == "default"


def test_no_button_is_shown_to_whom_it_would_refuse(client: TestClient, world: Context) -> None:
    add(world, shots(months=1, a_month=1))
    start_batch(world, OCTOBER)
    csrf = log_in(client, world, Role.VIEWER)
    for path in (*PAGES, "/runs/1"):
        forms = set(re.findall(r'<form method="post" action="([^"]+)"', shown(client, path)))
        assert forms == {"/look", "/logout"}, path
    for path in ("/runs", "/runs/1/pause", "/jobs/requeue", "/models/promote", "/models/rollback"):
        fields = {"csrf": csrf, "month": "2026-10", "what": "photos", "arm": "default", "sure": "yes"}
        assert client.post(path, data=fields).status_code == 403, path
