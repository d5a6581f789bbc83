"""The queue `clustering`."""

from typing import Any

from facealbum.settings import load_settings
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import open_context
from facealbum.steps.families import family_name
from workers.app import app
from workers.messages import ClusterFamily


@app.task(name="workers.clustering.cluster_family")
def cluster_family(message: dict[str, Any]) -> None:
    """Run every month of one family that isn't done."""
    order = ClusterFamily.from_json(message)
    with open_context(load_settings()) as context:
        cluster_families(context, order.through, family=family_name(context, order.family_id))
