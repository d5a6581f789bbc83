"""Giving messages to the broker."""

from facealbum.errors import BrokerUnavailableError, InvalidValueError, UnknownVersionError
from facealbum.storage.outbox import Outgoing
from workers.app import SILENCE_SECONDS, TASKS, app


def check_broker() -> None:
    """Raise InvalidValueError if there is no broker to send to."""
    if not app.conf.broker_url:
        raise InvalidValueError("set FACEALBUM_BROKER_URL to the broker of the queues, such as redis://localhost")


def send(message: Outgoing) -> None:
    """Return when the broker has the message; raises BrokerUnavailableError, UnknownVersionError for no queue of ours.

    RabbitMQ says when the message is safe with it, Redis when it is in memory.
    """
    task = TASKS.get(message.queue)
    if task is None:
        raise UnknownVersionError(f"this release has the queues {', '.join(TASKS)}, the message is for another")
    try:
        app.send_task(task, args=[message.message], queue=message.queue, confirm_timeout=SILENCE_SECONDS)
    except Exception as error:  # each transport has errors of its own
        raise BrokerUnavailableError(
            f"the broker did not take a message ({type(error).__name__}); it waits in the database and is sent later"
        ) from error
