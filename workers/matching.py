"""The queue `matching`."""

from typing import Any

from facealbum.domain.messages import MatchFamily
from facealbum.steps.match import match_unmatched
from workers.app import app
from workers.process import this_context
from workers.task import QueueTask


@app.task(name="workers.matching.match_family", base=QueueTask, its_queue=MatchFamily.QUEUE)
def match_family(message: dict[str, Any]) -> None:
    """Show one family's new faces with the people it knows."""
    order = MatchFamily.from_json(message)
    match_unmatched(this_context(), order.family_id)
