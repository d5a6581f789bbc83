"""Every table of the product in one `metadata`: what migrations and documents are compared with."""

from facealbum.storage import compat_schema, drift_schema, experiment_schema, queue_schema
from facealbum.storage.schema import metadata

__all__ = ["compat_schema", "drift_schema", "experiment_schema", "metadata", "queue_schema"]
