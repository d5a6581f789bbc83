"""A browser, and the dashboard of an installation with the demo's album; skipped where no Chromium is installed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import delete

from eval.annotation import Kind
from facealbum.clustering.breakage import BreakageThresholds
from facealbum.demo.album import FAMILY, build_demo_album
from facealbum.domain.access import Role
from facealbum.domain.ids import family_id
from facealbum.domain.months import Month
from facealbum.settings import Settings
from facealbum.steps.analyze import analyze_pending
from facealbum.steps.annotation import Wanted, draw_sample
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context, open_context
from facealbum.steps.dashboard import refresh
from facealbum.steps.demo import EVERYBODY_REGISTERED
from facealbum.steps.imports import import_manifests
from facealbum.steps.users import add_user
from facealbum.storage.experiment_schema import serving
from tests.browser.dashboard import NOW, PASSWORD, Site, Visitor, serve
from tests.conftest import copied, copy_database
from tests.integration.crowd import make_crowd, run_served

_QUIET = "gpu quic background-networking component-update sync"  # what it may not do


@pytest.fixture(scope="session")
def chromium() -> str:
    """The installed Chromium."""
    named = os.environ.get("FACEALBUM_TEST_CHROMIUM")
    found = named or next(filter(runs, ("chromium", "chromium-browser", "google-chrome")), None)
    if found is None:
        pytest.skip("no Chromium is installed; set FACEALBUM_TEST_CHROMIUM where it is not on the path")
    return shutil.which(found) or found


def runs(program: str) -> bool:
    """Whether it is there, and more than a stub that only tells how to install it."""
    found = shutil.which(program)
    return bool(found) and subprocess.run([str(found), "--version"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """For one file's tests: as long as it is open, its loop of events runs in this thread."""
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=[f"--disable-{one}" for one in _QUIET.split()])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def installation(chromium: str, server: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The demo's album, analysed and clustered, an experiment on eighty more families, a sample, and three users."""
    assert chromium
    folder: Path = tmp_path_factory.mktemp("installation")
    url = copy_database(server, "template", "album")
    settings = Settings(
        data=folder / "data",
        database_url=url.replace("+psycopg2", ""),
        object_store=str(folder / "objects"),
        processes=1,
        web_threads=4,
    )
    with open_context(settings) as opened:
        fill(replace(opened, clock=lambda: NOW), folder)
    return settings


def fill(context: Context, folder: Path) -> None:
    for role in reversed(Role):
        name = {Role.ADMIN: "ann", Role.REVIEWER: "ben"}.get(role, str(role))
        add_user(context, name, role, password=PASSWORD, author="test")
    album = build_demo_album(folder / "album")
    (folder / "album" / "photos" / "P0005.jpg").write_bytes(b"no picture")
    import_manifests(context, album.photos_csv, album.families_csv)
    analyze_pending(context)
    few = BreakageThresholds(min_nodes=8)  # by which persons of few faces count as broken
    cluster_families(context, Month(2026, 10), arm=replace(EVERYBODY_REGISTERED, breakage=few))
    draw_sample(context, Wanted("october", Kind.CLUSTERS, 4, 7))
    make_crowd(context)
    run_served(context, better=0.08)
    with context.database.begin() as transaction:  # the demo's family goes on seeing the arm that has its persons
        transaction.execute(delete(serving).where(serving.c.family_id == family_id(FAMILY)))
    refresh(context, everything=True, seconds=None)


@pytest.fixture
def site(installation: Settings, server: str, request: pytest.FixtureRequest) -> Iterator[Site]:
    """The application on a copy of the installation."""
    name = f"site_{uuid5(NAMESPACE_URL, request.node.nodeid).hex}"
    queues = "redis://127.0.0.1:1"  # pages only ask whether there are any; what they order waits in the database
    with copied(server, "album", name) as url:
        here = {"database_url": url.replace("+psycopg2", ""), "broker_url": queues}
        with serve(installation.model_copy(update=here)) as served:
            yield served


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Iterator[Visitor]:
    """Somebody at a browser who has not logged in; the browser must have nothing to say against our pages."""
    with browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 1000}) as session:
        session.set_default_timeout(20_000)
        somebody = Visitor(session.new_page(), site)
        yield somebody
    assert somebody.complaints == []
