"""The processes through which photos come in: the HTTP interface, and the events of the object store."""

from facealbum.web.app import make_app
from facealbum.web.events import run_events
from facealbum.web.server import serve

__all__ = ["make_app", "run_events", "serve"]
