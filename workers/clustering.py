"""The queue `clustering`."""

from typing import Any

from facealbum.domain.messages import ClusterFamily
from facealbum.steps.cluster import cluster_families
from facealbum.steps.families import family_name
from workers.app import app
from workers.process import this_context
from workers.task import QueueTask


@app.task(name="workers.clustering.cluster_family", base=QueueTask, queue=ClusterFamily.QUEUE)
def cluster_family(message: dict[str, Any]) -> None:
    """Run every month of one family that isn't done."""
    order = ClusterFamily.from_json(message)
    cluster_families(this_context(), order.through, family=family_name(this_context(), order.family_id))
