"""The application: photos in and their states out, behind a gate, and what the process tells of itself.

Endpoints are plain functions that run in threads, as many as there are database connections; uploads wait on disk.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Request, Response

from facealbum.errors import InvalidValueError
from facealbum.metrics import CONTENT_TYPE
from facealbum.settings import Settings
from facealbum.status_server import health_answer
from facealbum.steps.access import shared_secret
from facealbum.steps.context import Context, open_context
from facealbum.steps.gauges import read_gauges
from facealbum.steps.health import Check, Status, check_database, check_objects, check_port
from facealbum.storage.objects import open_object_store
from facealbum.web import api, assets, login, pages
from facealbum.web.gate import Gate
from facealbum.web.idempotency import Keyed
from facealbum.web.pages.page import tell
from facealbum.web.problems import explain_errors
from facealbum.web.signing import Signer
from facealbum.web.tokens import parse_tokens
from facealbum.web.validators import Validating

_DESCRIPTION = """\
Photos and videos come in, and tell how far they are.  Errors are problem+json with a stable code.  The same content is
one photo of a family, so every request may be sent again; an Idempotency-Key is welcome and not needed."""


def make_app(settings: Settings) -> FastAPI:
    """The application of these settings; raises InvalidValueError for tokens or a provider that can't be used."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = settings.web_threads
        async with AsyncExitStack() as stack:
            context = stack.enter_context(open_context(settings, connections=settings.web_threads))
            app.state.context = context
            app.state.signer = Signer(shared_secret(context, "signatures"))
            app.state.status = _status(context)
            yield

    app = FastAPI(
        title="facealbum",
        version=version("facealbum"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(Keyed)
    app.add_middleware(Validating)
    app.add_middleware(Gate, tokens=parse_tokens(settings.api_tokens), max_bytes=settings.max_request_bytes)
    explain_errors(app, tell)
    for router in (*api.ROUTERS, *pages.ROUTERS, login.router, assets.router):
        app.router.routes.extend(router.routes)  # include_router would build each anew, by the first request
    if settings.oidc_issuer:
        app.include_router(_provider_routes(settings))
    _add_status(app)
    return app


def _status(context: Context) -> Status:
    """What web needs; orders to workers wait in the database while the broker is away, so that is told and no more."""
    settings = context.settings
    objects = open_object_store(settings.object_store_url, patient=False)
    checks: dict[str, Check] = {
        "database": partial(check_database, context.database),
        "objects": partial(check_objects, objects),
    }
    beside = {"broker": partial(check_port, settings.broker_url)} if settings.broker_url else {}
    return Status(checks, beside=beside, gauges=partial(read_gauges, context.database, settings))


def _provider_routes(settings: Settings) -> APIRouter:
    if not (settings.oidc_client_id and settings.oidc_client_secret):
        raise InvalidValueError("FACEALBUM_OIDC_ISSUER needs FACEALBUM_OIDC_CLIENT_ID and FACEALBUM_OIDC_CLIENT_SECRET")
    try:
        from facealbum.web import oidc  # noqa: PLC0415 - needs what only facealbum[oidc] installs
    except ImportError as error:
        raise InvalidValueError("FACEALBUM_OIDC_ISSUER needs what `pip install facealbum[oidc]` installs") from error
    return oidc.router


def _add_status(app: FastAPI) -> None:
    @app.get("/metrics", include_in_schema=False)
    def metrics(request: Request) -> Response:
        return Response(request.app.state.status.metrics(), media_type=CONTENT_TYPE)

    @app.get("/healthz", include_in_schema=False)
    def alive(request: Request) -> Response:
        status, kind, body = health_answer(request.app.state.status.alive())
        return Response(body, status, media_type=kind)

    @app.get("/readyz", include_in_schema=False)
    def ready(request: Request) -> Response:
        status, kind, body = health_answer(request.app.state.status.ready())
        return Response(body, status, media_type=kind)
