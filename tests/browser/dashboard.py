"""The application as a browser meets it: served on a port of this machine, on a database and pictures of its own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Thread
from typing import Any
from urllib.request import urlopen

import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request

from facealbum.settings import Settings
from facealbum.steps.context import Context
from facealbum.web import make_app

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
PASSWORD = "a long enough password"  # noqa: S105 - of a test
_BAD = {"serious", "critical"}


@dataclass(frozen=True, slots=True)
class Site:
    """Where the application is served, and the world that it serves."""

    url: str
    world: Context


@contextmanager
def serve(settings: Settings) -> Iterator[Site]:
    """Serve the application until the end of the block; in it, it is NOW."""
    app = make_app(settings)
    with socket.create_server(("127.0.0.1", 0)) as listening:  # whoever comes before it serves waits in line
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            urlopen(f"{url}/healthz", timeout=60).close()  # noqa: S310 - our own
            app.state.context = replace(app.state.context, clock=lambda: NOW)
            yield Site(url, app.state.context)
        finally:
            server.should_exit = True
            thread.join(timeout=60)
            assert not thread.is_alive()


@dataclass
class Visitor:
    """Somebody at a browser; complaints: whatever the browser had to say against our pages."""

    page: Page
    site: Site
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _see(self, request: Request) -> None:
        if not request.url.startswith((f"{self.site.url}/", "data:")):
            self.complaints.append(f"{self.page.url} asked {request.url}")

    def open(self, path: str) -> None:
        """Go to a page of ours, which must be there."""
        answer = self.page.goto(self.site.url + path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"

    def log_in(self, name: str = "ann") -> None:
        """Log in by the form."""
        self.open("/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(f"{self.site.url}/")

    def beside(self) -> "Visitor":
        """The same person with a second window."""
        return Visitor(self.page.context.new_page(), self.site, self.complaints)

    def expect(self, words: str) -> None:
        """Take out the one complaint that has these words, which is there because the test asked for it."""
        (found,) = [one for one in self.complaints if words in one]
        self.complaints.remove(found)

    def see_pictures(self) -> None:
        """Every picture of the page must be there."""
        for picture in self.page.locator("main img").all():
            picture.scroll_into_view_if_needed()
        self.page.wait_for_load_state("networkidle")
        assert not self.page.evaluate("[...document.images].filter(one => !one.naturalWidth).map(one => one.src)")

    def text(self) -> str:
        """What the page's main part says."""
        return " ".join(self.page.locator("main").inner_text().split())

    def barriers(self) -> list[dict[str, Any]]:
        """What axe-core finds on the page that keeps people from using it."""
        found = Axe().run(self.page).response["violations"]
        return [
            {"rule": one["id"], "help": one["help"], "where": [node["html"][:200] for node in one["nodes"]]}
            for one in found
            if one["impact"] in _BAD
        ]
