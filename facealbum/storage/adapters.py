"""Learned maps from one embedding space into another, as model versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select

from facealbum.errors import UnknownModelError
from facealbum.storage.compat_schema import adapters
from facealbum.storage.schema import embedding_spaces

_SOURCE, _TARGET = embedding_spaces.alias("source"), embedding_spaces.alias("target")


@dataclass(frozen=True, slots=True)
class AdapterRow:
    """One adapter; licence: of what it was learnt from.  figures: counts, and how close it comes.

    adapter_id: None before it is saved.
    """

    name: str
    kind: str
    source: str
    target: str
    sha256: str
    licence: str
    figures: Mapping[str, Any]
    created_at: datetime
    adapter_id: int | None = None


def save_adapter(connection: Connection, adapter: AdapterRow, *, spaces: tuple[int, int]) -> None:
    """Keep an adapter of a new name; spaces: the ids of its source and target."""
    row = {name: getattr(adapter, name) for name in ("name", "kind", "sha256", "licence", "created_at")}
    key = dict(zip(("source_space_id", "target_space_id"), spaces, strict=True))
    connection.execute(insert(adapters).values(**row, **key, figures=dict(adapter.figures)))


def load_adapter(connection: Connection, name: str) -> AdapterRow:
    """The adapter of this name; raises UnknownModelError."""
    row = connection.execute(_adapters().where(adapters.c.name == name)).one_or_none()
    if row is None:
        known = ", ".join(one.name for one in load_adapters(connection)) or "none yet"
        raise UnknownModelError(f"an adapter must be one that was trained ({known}), got {name!r}")
    return _adapter(row)


def load_adapters(connection: Connection) -> list[AdapterRow]:
    """All adapters, the newest first."""
    return [_adapter(row) for row in connection.execute(_adapters().order_by(adapters.c.adapter_id.desc()))]


def _adapters() -> Select[Any]:
    return (
        select(adapters, _SOURCE.c.name.label("source"), _TARGET.c.name.label("target"))
        .join(_SOURCE, _SOURCE.c.space_id == adapters.c.source_space_id)
        .join(_TARGET, _TARGET.c.space_id == adapters.c.target_space_id)
    )


def _adapter(row: Row[Any]) -> AdapterRow:
    return AdapterRow(**{name: getattr(row, name) for name in AdapterRow.__dataclass_fields__})
