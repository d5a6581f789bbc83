"""The queue `maintenance`: what is due by the clock."""

from collections.abc import Callable
from typing import Any

from facealbum.domain.messages import Maintain
from facealbum.errors import UnknownVersionError
from facealbum.steps.batches import advance, start_due
from facealbum.steps.context import Context
from facealbum.steps.dashboard import refresh
from facealbum.steps.idempotency import forget_old_requests
from facealbum.steps.outbox import relay
from facealbum.steps.past import tend_past
from facealbum.steps.reconcile import reconcile
from workers.app import app
from workers.process import this_context
from workers.sending import send
from workers.task import QueueTask


def _embed_again(context: Context) -> None:
    from facealbum.steps.reembed import work_on  # noqa: PLC0415 - only a process that does it holds the networks

    work_on(context)


JOBS: dict[str, Callable[[Context], object]] = {
    "relay": lambda context: relay(context, send),
    "advance": advance,
    "start_month": start_due,
    "reconcile": reconcile,
    "reembed": _embed_again,
    "dashboard": refresh,
    "requests": forget_old_requests,
    "past": tend_past,
}
"""What each job does."""


@app.task(name="workers.maintenance.relay_outbox", base=QueueTask, its_queue=Maintain.QUEUE)
def maintain(message: dict[str, Any]) -> None:
    """Do one job; the task's name is that of its first one."""
    order = Maintain.from_json(message)
    if order.job not in JOBS:
        raise UnknownVersionError(f"this release has the jobs {sorted(JOBS)}, the message asks for another")
    JOBS[order.job](this_context())
