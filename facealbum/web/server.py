"""The process that serves the application."""

from ipaddress import ip_address
from socket import AF_INET, AF_INET6, create_server

import uvicorn

from facealbum.errors import InvalidValueError
from facealbum.logs import configure_logs
from facealbum.settings import Settings
from facealbum.steps.access import caller_of_nothing
from facealbum.steps.context import open_context
from facealbum.web.app import make_app

_WAITING_PER_THREAD = 16


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until told to stop.

    Raises InvalidValueError if others could reach it, and whoever does is let in, and if somebody listens there.
    """
    if not settings.api_tokens and not _is_loopback(host):
        _expect_somebody_registered(settings, host)
    _expect_free(host, port)
    configure_logs(settings.logs)
    uvicorn.run(
        make_app(settings),
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        limit_concurrency=settings.web_threads * _WAITING_PER_THREAD,
        timeout_graceful_shutdown=round(settings.worker_stop_seconds),
    )


def _expect_free(host: str, port: int) -> None:
    try:
        create_server((host, port), family=AF_INET6 if ":" in host else AF_INET).close()
    except OSError as error:
        raise InvalidValueError(
            f"{host} port {port} must be free to listen on: {error.strerror}; choose another --host or --port"
        ) from error


def _expect_somebody_registered(settings: Settings, host: str) -> None:
    with open_context(settings, connections=1) as context:
        if caller_of_nothing(context):
            raise InvalidValueError(
                f"where nobody is registered this machine alone may be served, not {host}; use 127.0.0.1, set"
                " FACEALBUM_API_TOKENS, or first `facealbum user add NAME --role admin`"
            )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
