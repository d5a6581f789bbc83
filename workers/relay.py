"""The process that sends what waits in the outbox, as soon as it waits there.

It goes on when the broker or the database are away.  Several may run: each message is one relay's.  The price: the
database is asked ten times a second.
"""

from facealbum import metrics
from facealbum.errors import FacealbumError
from facealbum.logs import configure_logs, get_logger
from facealbum.settings import load_settings
from facealbum.steps.health import Pulse
from facealbum.steps.outbox import relay
from facealbum.steps.service import repeat, stop_on_signals
from workers.app import app
from workers.observed import STUCK_SECONDS, sender_status
from workers.process import close_context, this_context
from workers.sending import check_broker, send

_POLL_SECONDS = 0.1
_log = get_logger(__name__)


def run_relay() -> None:
    """Send until told to stop, which is obeyed before the next message."""
    settings = load_settings()
    configure_logs(settings.logs)
    check_broker()
    pulse = Pulse(STUCK_SECONDS)
    with stop_on_signals() as stop, sender_status(app, settings, pulse):

        def stopped() -> bool:
            pulse.beat()
            return stop.is_set()

        repeat(
            lambda: stopped() or relay(this_context(), send, stopped=stopped),
            stop,
            seconds=_POLL_SECONDS,
            on_failure=_tell,
        )
    close_context()


def _tell(error: FacealbumError, pause: float) -> None:
    metrics.RELAY_FAILURES.labels(error.code).inc()
    _log.warning("relay_waits", code=error.code, wait_seconds=round(pause, 1))
