"""Every table of the product in one `metadata`: what migrations and documents are compared with."""

from facealbum.storage import (
    access_schema,
    annotation_schema,
    compat_schema,
    drift_schema,
    experiment_schema,
    fairness_schema,
    features_schema,
    lineage_schema,
    metric_schema,
    pipeline_schema,
    queue_schema,
    registry_schema,
    request_schema,
    review_schema,
    search_schema,
    signal_schema,
)
from facealbum.storage.schema import metadata

__all__ = [
    "access_schema",
    "annotation_schema",
    "compat_schema",
    "drift_schema",
    "experiment_schema",
    "fairness_schema",
    "features_schema",
    "lineage_schema",
    "metadata",
    "metric_schema",
    "pipeline_schema",
    "queue_schema",
    "registry_schema",
    "request_schema",
    "review_schema",
    "search_schema",
    "signal_schema",
]
