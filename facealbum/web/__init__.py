"""The HTTP interface: photos come in and tell how far they are; docs/uploads.md shows it with curl."""

from facealbum.web.app import make_app
from facealbum.web.server import serve

__all__ = ["make_app", "serve"]
