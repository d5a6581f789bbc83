"""Logging in by an OpenID Connect provider: authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636).

The provider vouches for an e-mail address alone; who is a user under it, and what each may do, is kept here.  State,
nonce and verifier follow from the secret in the cookie of our form, so nothing waits in between.  Imported only where
the settings name a provider.
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry, decode
from requests import RequestException

from facealbum.errors import ProviderError, SignInError
from facealbum.settings import Settings
from facealbum.steps.access import sign_in_by_provider
from facealbum.web.login import begin, login_page
from facealbum.web.sessions import FORM_COOKIE, read_cookie
from facealbum.web.world import World

router = APIRouter(include_in_schema=False, prefix="/login/oidc")
_ALGORITHMS = ("RS256", "PS256", "ES256")  # signed by a key of the provider's; never "none", never our own secret
_SECONDS = 10
_LEEWAY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider of the settings, and where it sends people back to."""

    issuer: str
    client_id: str
    client_secret: str
    callback: str

    def page(self, secret: str) -> str:
        """Where somebody logs in there; raises ProviderError."""
        with self._session() as session:
            url, _ = session.create_authorization_url(
                self._discover(session)["authorization_endpoint"],
                state=derived(secret, "state"),
                nonce=derived(secret, "nonce"),
                code_verifier=derived(secret, "verifier"),
            )
        return str(url)

    def address_of(self, code: str, secret: str, *, now: int) -> str:
        """The verified e-mail address of whoever came back with the code; raises SignInError, ProviderError."""
        checks = JWTClaimsRegistry(
            now,
            _LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            nonce={"essential": True, "value": derived(secret, "nonce")},
            exp={"essential": True},
            azp={"value": self.client_id},
            email={"essential": True},
            email_verified={"essential": True, "value": True},
        )
        with self._session() as session:
            told = self._discover(session)
            verifier = derived(secret, "verifier")
            token = session.fetch_token(told["token_endpoint"], code=code, code_verifier=verifier, timeout=_SECONDS)
            keys = KeySet.import_key_set(_read(session, told["jwks_uri"]))
            claims = decode(token["id_token"], keys, algorithms=_ALGORITHMS).claims
            checks.validate(claims)
        return str(claims["email"]).lower()

    def _discover(self, session: Any) -> Any:  # noqa: ANN401 - Authlib ships no types, and JSON
        told = _read(session, self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if told["issuer"] != self.issuer:
            raise ProviderError(f"the provider calls itself {told['issuer']}; set FACEALBUM_OIDC_ISSUER to that")
        return told

    @contextmanager
    def _session(self) -> Iterator[Any]:
        """Talks to the provider; what goes wrong is an error of ours."""
        try:
            with OAuth2Session(
                self.client_id,
                self.client_secret,
                scope="openid email",
                redirect_uri=self.callback,
                code_challenge_method="S256",
            ) as session:
                yield session
        except RequestException as error:
            raise ProviderError("the provider that vouches for users can't be reached; try again later") from error
        except (AuthlibBaseError, JoseError, KeyError, ValueError) as error:
            raise SignInError("the provider does not vouch for you and your e-mail address; try again") from error


@router.get("")
def leave(request: Request, world: World) -> Response:
    """Send somebody to the provider, from our form alone."""
    secret = read_cookie(request.headers, FORM_COOKIE)
    if not secret:
        return RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    try:
        return RedirectResponse(_provider(request, world.settings).page(secret), HTTPStatus.SEE_OTHER)
    except (SignInError, ProviderError) as error:
        return login_page(request, str(error), HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("/callback")
def come_back(request: Request, world: World, code: str = "", state: str = "") -> Response:
    """Begin a session of whoever the provider vouches for, if that is a user."""
    secret = read_cookie(request.headers, FORM_COOKIE)
    if not secret or not hmac.compare_digest(derived(secret, "state").encode(), state.encode()):
        return login_page(request, "this form was open for too long; try again", HTTPStatus.FORBIDDEN)
    try:
        now = round(world.clock().timestamp())
        name = _provider(request, world.settings).address_of(code, secret, now=now)
        return begin(request, sign_in_by_provider(world, name))
    except SignInError as error:
        return login_page(request, str(error), HTTPStatus.UNAUTHORIZED)
    except ProviderError as error:
        return login_page(request, str(error), HTTPStatus.SERVICE_UNAVAILABLE)


def derived(secret: str, purpose: str) -> str:
    """A value that only the browser with this secret leads to."""
    return hmac.new(secret.encode(), f"oidc {purpose}".encode(), sha256).hexdigest()


def _provider(request: Request, settings: Settings) -> Provider:
    name, secret = settings.oidc_client_id or "", settings.oidc_client_secret or ""
    return Provider(settings.oidc_issuer or "", name, secret, str(request.url_for("come_back")))


def _read(session: Any, url: str) -> Any:  # noqa: ANN401 - as above, and JSON
    answer = session.get(url, withhold_token=True, timeout=_SECONDS)
    answer.raise_for_status()
    return answer.json()
