"""The queue `evaluation`."""

from typing import Any

from facealbum.domain.messages import EvaluateBatch
from facealbum.steps import evaluate
from workers.app import app
from workers.process import this_context
from workers.task import QueueTask


@app.task(name="workers.evaluation.evaluate_batch", base=QueueTask, its_queue=EvaluateBatch.QUEUE)
def evaluate_batch(message: dict[str, Any]) -> None:
    """Sum up a monthly job whose families have all ended."""
    evaluate.evaluate_batch(this_context(), EvaluateBatch.from_json(message).batch_id)
