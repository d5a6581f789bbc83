"""The queue `maintenance`."""

from typing import Any

from facealbum.domain.messages import RelayOutbox
from facealbum.steps.outbox import relay
from workers.app import app
from workers.process import this_context
from workers.sending import send
from workers.task import QueueTask


@app.task(name="workers.maintenance.relay_outbox", base=QueueTask, queue=RelayOutbox.QUEUE)
def relay_outbox(message: dict[str, Any]) -> None:
    """Send what waits in the outbox because whoever wrote it died, or the broker was down."""
    RelayOutbox.from_json(message)
    relay(this_context(), send)
