"""A real web server for tests that fetch files: it knows ranges, and misbehaves as it is told."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest


@dataclass
class FileServer:
    """files: content by name.  headers: what every answer says besides, None to leave one out.

    break_after: bytes that each of the next answers gives before its connection ends.
    gate: an answer waits for it halfway, after it has set `halfway`.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str | None] = field(default_factory=dict)
    break_after: list[int] = field(default_factory=list)
    ranges: bool = True
    status: int = 200
    asked: list[str | None] = field(default_factory=list)
    gate: Event = field(default_factory=Event)
    halfway: Event = field(default_factory=Event)

    def place(self, name: str) -> str:
        return f"{self.url}/{name}"


@pytest.fixture
def file_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A web server on the loopback device; `asked` holds the range of each request."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    told = FileServer()
    told.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            told.asked.append(asked)
            content = told.files.get(self.path.lstrip("/"))
            if told.status != 200 or content is None:
                self.answer(404 if told.status == 200 else told.status, {"Content-Length": "0"})
                return
            start = int(re.sub(r"bytes=(\d+)-", r"\1", asked)) if asked and told.ranges else 0
            if start and start >= len(content):
                self.send_error(416)
                return
            self.answer(206 if start else 200, {"Content-Length": str(len(content) - start)})
            end = start + told.break_after.pop(0) if told.break_after else len(content)
            middle = (start + end) // 2
            with suppress(ConnectionError):  # who asked may have heard enough
                self.wfile.write(content[start:middle])
                self.wfile.flush()
                told.halfway.set()
                told.gate.wait(timeout=20)
                self.wfile.write(content[middle:end])

        def answer(self, status: int, headers: dict[str, str | None]) -> None:
            self.send_response(status)
            for name, value in (headers | told.headers).items():
                if value is not None:
                    self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
            """Nothing: the tests look at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield told
    told.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()
