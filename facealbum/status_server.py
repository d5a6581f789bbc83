"""A thread that answers /metrics, /healthz and /readyz for its process on FACEALBUM_STATUS_PORT.

It listens on every address, as those who ask are other machines; what it tells are counts, states and codes.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from facealbum.errors import InvalidValueError
from facealbum.logs import log_crash
from facealbum.metrics import CONTENT_TYPE
from facealbum.steps.health import Health, Status

Answer = tuple[int, str, bytes]


@contextmanager
def status_served(status: Status, port: int) -> Iterator[None]:
    """Answer during the block, or do nothing if the port is 0; raises InvalidValueError if the port is taken."""
    if not port:
        yield
        return
    pages: dict[str, Callable[[], Answer]] = {
        "/metrics": lambda: (HTTPStatus.OK, CONTENT_TYPE, status.metrics()),
        "/healthz": lambda: health_answer(status.alive()),
        "/readyz": lambda: health_answer(status.ready()),
    }
    try:
        server = _Server(("", port), type("Asked", (_Asked,), {"pages": pages}))
    except OSError as error:
        raise InvalidValueError(
            f"FACEALBUM_STATUS_PORT must be a free port, another one for each process of a machine; {port} is none: "
            f"{error.strerror}"
        ) from error
    with server:
        Thread(target=server.serve_forever, name="status", daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def health_answer(health: Health) -> Answer:
    """As an orchestrator reads it: the status code tells, the rest is for people."""
    status = HTTPStatus.OK if health.fine else HTTPStatus.SERVICE_UNAVAILABLE
    return status, "application/json", json.dumps(dict(health.subjects)).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Of a client that has gone nothing; of a mistake of ours its place alone."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            log_crash(error)


class _Asked(BaseHTTPRequestHandler):
    pages: dict[str, Callable[[], Answer]]
    timeout = 5  # of a client that sends nothing

    def do_GET(self) -> None:
        page = self.pages.get(self.path.partition("?")[0])
        status, kind, body = page() if page else (HTTPStatus.NOT_FOUND, "text/plain", b"")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: it is asked every few seconds."""
