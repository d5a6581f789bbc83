"""What makes analyses, embeddings and runs: code, model files and parameters, kept once and named by a small number.

The price: a row for each combination that ever worked, and one for each family and combination.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Column, ColumnElement, Connection, select
from sqlalchemy.dialects.postgresql import Insert, insert

from facealbum.domain.ids import FamilyId
from facealbum.storage.lineage_schema import family_makers, makers

Method: TypeAlias = Literal["analysis", "embedding", "carrying", "adapter", "clustering"]
"""Photos are analysed, faces embedded again, vectors carried over exactly or by an adapter, families clustered."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model that took part; sha256: of its file, None where it was not kept."""

    version: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Maker:
    """One way to make rows of a space; files: by role; code_version: None where it was not kept."""

    method: Method
    space_id: int
    code_version: str | None
    files: Mapping[str, ModelFile]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    analyzer_id: int | None = None
    source_space_id: int | None = None
    adapter_id: int | None = None


def ensure_maker(connection: Connection, maker: Maker) -> int:
    """The number of exactly this maker; it is written down when it first works."""
    values = asdict(maker)
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    new = insert(makers).values(digest=digest, **values)
    return ensure_number(connection, makers.c.maker_id, makers.c.digest == digest, new)


def ensure_number(connection: Connection, number: Column[Any], here: ColumnElement[bool], new: Insert) -> int:
    """The number of the row that is `here`, which `new` inserts if there is none.

    It looks first: each attempt to insert uses up a number, and a small table has 32,767.
    """
    query = select(number).where(here)
    known = connection.execute(query).scalar_one_or_none()
    if known is None:
        connection.execute(new.on_conflict_do_nothing())
        known = connection.execute(query).scalar_one()
    return int(known)


def note_maker(connection: Connection, family: FamilyId, maker_id: int | None, *, now: datetime) -> None:
    """Note that the family has something of this maker; its being noted outlives what it made."""
    if maker_id is not None:
        row = {"family_id": family, "maker_id": maker_id, "first_at": now}
        connection.execute(insert(family_makers).values(row).on_conflict_do_nothing())
