"""The queue `analysis`."""

from typing import Any

from facealbum.domain.messages import AnalyzeFamily
from workers.app import app
from workers.process import this_context
from workers.task import QueueTask


@app.task(name="workers.analysis.analyze_family", base=QueueTask, its_queue=AnalyzeFamily.QUEUE)
def analyze_family(message: dict[str, Any]) -> None:
    """Analyse a few photos, or order the analysis of all that are pending; imported here, after the pool has forked."""
    order = AnalyzeFamily.from_json(message)
    from facealbum.steps.analyze_batch import analyze_batch, order_pending  # noqa: PLC0415 - models load after the fork

    if order.photo_ids:
        analyze_batch(this_context(), order.family_id, order.photo_ids)
    else:
        order_pending(this_context(), order.family_id, again=order.again)
