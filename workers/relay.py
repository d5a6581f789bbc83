"""The process that sends what waits in the outbox, as soon as it waits there.

It goes on when the broker or the database are away.  Several may run: each message is one relay's.  The price: the
database is asked ten times a second.
"""

from celery.utils.log import get_logger

from facealbum.errors import FacealbumError
from facealbum.steps.outbox import relay
from facealbum.steps.service import repeat, stop_on_signals
from workers.process import close_context, this_context
from workers.sending import check_broker, send

_POLL_SECONDS = 0.1
_log = get_logger(__name__)


def run_relay() -> None:
    """Send until told to stop, which is obeyed before the next message."""
    check_broker()
    with stop_on_signals() as stop:
        repeat(
            lambda: relay(this_context(), send, stopped=stop.is_set),
            stop,
            seconds=_POLL_SECONDS,
            on_failure=_tell,
        )
    close_context()


def _tell(error: FacealbumError, pause: float) -> None:
    _log.warning("next try in %.1f s: %s", pause, error.code)
