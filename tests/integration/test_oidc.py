"""Logging in by a provider: a real one on this machine, which signs what it is told to."""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from facealbum.domain.access import Role
from facealbum.errors import InvalidValueError
from facealbum.settings import Settings
from facealbum.steps.users import add_user
from facealbum.web import make_app

ANN = "ann@example.org"
CLIENT, SECRET = "facealbum", "the-secret-of-facealbum-at-the-provider"


@dataclass
class Issuer:
    """A provider; `claims` go over those that are right, and `key` signs."""

    url: str = ""
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048))
    algorithm: str = "RS256"
    claims: dict[str, Any] = field(default_factory=dict)
    published: Any = None
    asked: dict[str, str] = field(default_factory=dict)

    def log_in(self, page: str) -> str:
        """What a browser does there: where it is sent back to."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(page).query).items()}
        return f"{self.asked['redirect_uri']}?code=one&state={self.asked['state']}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, str]:
        """The answer to a code."""
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        assert authorization == f"Basic {expected}"
        challenge = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if (form["code"], challenge) != ("one", self.asked["code_challenge"]):
            return {"error": "invalid_grant"}
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": "1", "nonce": self.asked["nonce"], "exp": round(time.time()) + 60,
            "email": ANN, "email_verified": True,
        }  # fmt: skip
        header = {"alg": self.algorithm, "kid": "one"}
        signed = jwt.encode(header, claims | self.claims, self.key, algorithms=[self.algorithm])
        return {"access_token": "unused", "token_type": "Bearer", "id_token": signed}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    provider = Issuer()
    provider.published = provider.key

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            told = {
                "issuer": provider.url,
                "authorization_endpoint": f"{provider.url}/authorize",
                "token_endpoint": f"{provider.url}/token",
                "jwks_uri": f"{provider.url}/keys",
            }
            public = provider.published.as_dict(private=False) | {"kid": "one"}
            self.tell(told if self.path.startswith("/.well-known") else {"keys": [public]})

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            given = {name: values[0] for name, values in form.items()}
            self.tell(provider.token(given, self.headers.get("Authorization", "")))

        def tell(self, answer: object) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield provider
        server.shutdown()


@pytest.fixture
def client(issuer: Issuer, database_url: str, tmp_path: Path) -> Iterator[TestClient]:
    """A browser before an application with Ann and the provider."""
    settings = Settings(
        data=tmp_path, database_url=database_url.replace("+psycopg2", ""), web_threads=2, oidc_issuer=issuer.url,
        oidc_client_id=CLIENT, oidc_client_secret=SECRET,
    )  # fmt: skip
    app = make_app(settings)
    with TestClient(app, follow_redirects=False) as opened:
        add_user(app.state.context, ANN, Role.ADMIN, password=None, author="test")
        yield opened


def leave(client: TestClient) -> str:
    """The provider's page that our form leads to."""
    assert "/login/oidc" in client.get("/login").text
    return str(client.get("/login/oidc").headers["location"])


def test_whom_the_provider_vouches_for_is_logged_in(client: TestClient, issuer: Issuer) -> None:
    page = leave(client)
    assert page.startswith(f"{issuer.url}/authorize?")
    back = client.get(issuer.log_in(page))
    assert (back.status_code, back.headers["location"]) == (303, "/")
    assert (issuer.asked["scope"], issuer.asked["code_challenge_method"]) == ("openid email", "S256")
    assert f"user {ANN}" in client.get("/session").text


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "stranger@example.org"},
        {"email": "'; DROP TABLE users"},
        {"email_verified": False},
        {"email_verified": "false"},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"nonce": "of-another-login"},
        {"exp": 1_600_000_000},
    ],
    ids=str,
)
def test_whom_the_provider_does_not_vouch_for_is_not(
    client: TestClient, issuer: Issuer, claims: dict[str, Any]
) -> None:
    issuer.claims = claims
    assert client.get(issuer.log_in(leave(client))).status_code == 401
    assert client.get("/session").status_code == 303


def test_a_signature_of_anybody_else_is_worth_nothing(client: TestClient, issuer: Issuer) -> None:
    issuer.key = RSAKey.generate_key(2048)
    assert client.get(issuer.log_in(leave(client))).status_code == 401
    issuer.key, issuer.algorithm = OctKey.import_key(SECRET), "HS256"
    assert client.get(issuer.log_in(leave(client))).status_code == 401


def test_only_the_browser_that_left_may_come_back(client: TestClient, issuer: Issuer) -> None:
    back = issuer.log_in(leave(client))
    assert client.get(back.replace("state=", "state=x")).status_code == 403
    assert client.get(back).status_code == 403  # the form is another one since
    client.cookies.clear()
    assert client.get(back).status_code == 403
    client.cookies.clear()
    assert client.get("/login/oidc").headers["location"] == "/login"


def test_a_code_that_is_none_or_a_provider_that_is_away_is_told_plainly(client: TestClient, issuer: Issuer) -> None:
    back = issuer.log_in(leave(client))
    assert client.get(back.replace("code=one", "code=two")).status_code == 401
    client.app.state.context.settings.__dict__["oidc_issuer"] = "http://127.0.0.1:9"  # type: ignore[attr-defined]
    client.get("/login")
    away = client.get("/login/oidc")
    assert (away.status_code, "provider" in away.text) == (503, True)


def test_settings_of_a_provider_go_together() -> None:
    with pytest.raises(InvalidValueError, match="OIDC_CLIENT_ID"):
        make_app(Settings(oidc_issuer="https://login.example.org"))
    with pytest.raises(ValueError, match="pattern"):
        Settings(oidc_issuer="http://login.example.org")
