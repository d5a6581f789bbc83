"""The queue `analysis`."""

from typing import Any

from facealbum.domain.messages import AnalyzeFamily
from facealbum.steps.families import family_name
from workers.app import app
from workers.process import this_context
from workers.task import QueueTask


@app.task(name="workers.analysis.analyze_family", base=QueueTask, queue=AnalyzeFamily.QUEUE)
def analyze_family(message: dict[str, Any]) -> None:
    """Analyse what is pending in one family; the analysis is imported here, after the pool has forked."""
    order = AnalyzeFamily.from_json(message)
    from facealbum.steps.analyze import analyze_pending  # noqa: PLC0415 - models must load after the fork

    name = family_name(this_context(), order.family_id)
    analyze_pending(this_context(), family=name, again=order.again, in_process=True)
