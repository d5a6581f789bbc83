"""The queue `clustering`."""

from typing import Any

from facealbum.domain.messages import ClusterFamily
from facealbum.steps.batches import cluster_in_batch
from facealbum.steps.cluster import Patience, cluster_families
from facealbum.steps.families import family_name
from workers.app import app
from workers.process import this_context
from workers.task import QueueTask

_LOCK_SECONDS = 5.0  # a family that is locked for longer is tried again later


@app.task(name="workers.clustering.cluster_family", base=QueueTask, its_queue=ClusterFamily.QUEUE)
def cluster_family(message: dict[str, Any]) -> None:
    """Run every month of one family that isn't done, as a part of a monthly job or by itself."""
    order = ClusterFamily.from_json(message)
    if order.batch_id:
        cluster_in_batch(this_context(), order.batch_id, order.family_id)
        return
    name = family_name(this_context(), order.family_id)
    cluster_families(this_context(), order.through, family=name, patience=Patience(_LOCK_SECONDS))
