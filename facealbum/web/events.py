"""The process that takes the events of the object store from their queue."""

from functools import partial

from facealbum.errors import FacealbumError, InvalidValueError
from facealbum.logs import configure_logs, get_logger
from facealbum.settings import Settings
from facealbum.status_server import status_served
from facealbum.steps.context import open_context
from facealbum.steps.events import bucket_of, take_events
from facealbum.steps.gauges import read_gauges
from facealbum.steps.health import Pulse, Status, check_database, check_objects
from facealbum.steps.service import repeat, stop_on_signals
from facealbum.storage.event_queue import SqsEventQueue
from facealbum.storage.objects import open_object_store

_STUCK_SECONDS = 600  # one video may take long
_PAUSE_SECONDS = 0.1
_log = get_logger(__name__)


def run_events(settings: Settings) -> None:
    """Take events until told to stop, which is obeyed before the next message; raises InvalidValueError."""
    configure_logs(settings.logs)
    if not settings.events_queue:
        raise InvalidValueError("set FACEALBUM_EVENTS_QUEUE to the URL of the SQS queue of the bucket's events")
    queue, pulse = SqsEventQueue(settings.events_queue, settings.events_seconds), Pulse(_STUCK_SECONDS)
    with open_context(settings) as context, stop_on_signals() as stop:
        bucket = bucket_of(context.objects)
        status = Status(
            {
                "database": partial(check_database, context.database),
                "objects": partial(check_objects, open_object_store(settings.object_store_url, patient=False)),
                "queue": queue.check,
            },
            pulse=pulse,
            gauges=partial(read_gauges, context.database, settings),
        )

        def stopped() -> bool:
            pulse.beat()
            return stop.is_set()

        def turn() -> None:
            while not stopped() and take_events(context, queue, bucket, stopped=stopped):
                pass

        with status_served(status, settings.status_port):
            repeat(turn, stop, seconds=_PAUSE_SECONDS, on_failure=_tell)


def _tell(error: FacealbumError, pause: float) -> None:
    _log.warning("events_wait", code=error.code, wait_seconds=round(pause, 1))
