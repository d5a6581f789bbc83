"""URLs that let somebody without a token see one picture for a while.

Signed by HMAC-SHA256 with a random secret that stands in the database, so every process of an installation knows what
another one signed.  Price: whoever has a URL can use it until it expires.
"""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlencode

_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs by one secret."""

    secret: bytes = field(repr=False)

    def url(self, path: str, viewer: str, *, now: datetime) -> str:
        """The path with what lets it be seen in the viewer's name for one to two hours; the same for an hour."""
        until = (int(now.timestamp()) // _HOUR + 2) * _HOUR
        given = {"viewer": viewer, "until": until, "signature": self._sign(path, viewer, str(until))}
        return f"{path}?{urlencode(given)}"

    def viewer(self, path: str, query: Mapping[str, str], *, now: datetime) -> str | None:
        """In whose name the path may be seen, if the query is one of ours and in time."""
        viewer, until, given = (query.get(name, "") for name in ("viewer", "until", "signature"))
        if not hmac.compare_digest(self._sign(path, viewer, until).encode(), given.encode()):
            return None
        return viewer if int(until) > now.timestamp() else None

    def _sign(self, *parts: str) -> str:
        """The signature, in Base64; no part can be told as a part of another."""
        mac = hmac.digest(self.secret, json.dumps(parts).encode(), sha256)
        return urlsafe_b64encode(mac).decode().rstrip("=")
