"""Learned maps from one embedding space into another, by small numbers that mark what each of them makes."""

from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.model_versions import ModelVersion
from facealbum.storage.compat_schema import adapters
from facealbum.storage.makers import ensure_number


def ensure_adapter(
    connection: Connection, model: ModelVersion, kind: str, *, spaces: tuple[int, int], now: datetime
) -> int:
    """The number of this version; kind: its form.  spaces: the ids of its source and target."""
    row = {
        "name": model.label,
        "kind": kind,
        "source_space_id": spaces[0],
        "target_space_id": spaces[1],
        "sha256": model.sha256,
        "licence": model.licence,
        "figures": dict(model.metrics),
        "created_at": now,
    }
    new = insert(adapters).values(row)
    return ensure_number(connection, adapters.c.adapter_id, adapters.c.name == model.label, new)
