"""Which data sets were collected for trainings, and which families each of them holds something of."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from facealbum.domain.ids import FamilyId
from facealbum.storage.pipeline_schema import data_snapshot_families, data_snapshots
from facealbum.storage.registry_schema import model_versions
from facealbum.storage.schema import families


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A data set: how many items, groups and families it has, and how many of those were deleted since.

    query: what was asked for; it names nobody.
    """

    digest: str
    query: str
    items: int
    groups: int
    families: int
    deleted: int
    code_version: str
    made_at: datetime


def save_snapshot(connection: Connection, snapshot: Snapshot, holds: Collection[FamilyId]) -> bool:
    """Put the data set on record, once; False, and no record, if one of the families isn't there any more."""
    present = (
        select(families.c.family_id).where(families.c.family_id.in_(holds)).with_for_update(read=True, key_share=True)
    )
    found = list(connection.execute(present).scalars())
    if len(found) < len(set(holds)):
        return False
    row = asdict(snapshot)
    again = {"deleted": snapshot.deleted}  # the same families have come back with the same data
    statement = upsert(data_snapshots).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["digest"], set_=again))
    rows = [{"family_id": family, "digest": snapshot.digest} for family in found]
    if rows:
        connection.execute(upsert(data_snapshot_families).on_conflict_do_nothing(), rows)
    return True


def load_snapshots(connection: Connection, digests: Collection[str] | None = None) -> list[Snapshot]:
    """Those of these digests, or all, oldest first."""
    query = select(data_snapshots).order_by(data_snapshots.c.made_at, data_snapshots.c.digest)
    if digests is not None:
        query = query.where(data_snapshots.c.digest.in_(digests))
    return [Snapshot(**row._asdict()) for row in connection.execute(query)]


def load_snapshots_of(connection: Connection, family: FamilyId) -> list[str]:
    """The digests of the data sets that hold something of the family; nobody adds one until the transaction ends."""
    connection.execute(select(families.c.family_id).where(families.c.family_id == family).with_for_update())
    query = select(data_snapshot_families.c.digest).where(data_snapshot_families.c.family_id == family)
    return list(connection.execute(query.order_by(data_snapshot_families.c.digest)).scalars())


def count_out(connection: Connection, family: FamilyId, digests: Collection[str]) -> None:
    """The family leaves these data sets, which are on record as incomplete from now on."""
    here = data_snapshot_families.c.family_id == family, data_snapshot_families.c.digest.in_(digests)
    connection.execute(delete(data_snapshot_families).where(*here))
    counted = update(data_snapshots).where(data_snapshots.c.digest.in_(digests))
    connection.execute(counted.values(deleted=data_snapshots.c.deleted + 1))


def load_trained_with(connection: Connection, family: FamilyId) -> list[str]:
    """The models that learnt from a data set with the family in it, as NAME@VERSION."""
    query = (
        select(model_versions.c.name, model_versions.c.version)
        .join(data_snapshot_families, data_snapshot_families.c.digest == model_versions.c.snapshot)
        .where(data_snapshot_families.c.family_id == family)
        .order_by(model_versions.c.model_id)
    )
    return [f"{row.name}@{row.version}" for row in connection.execute(query)]
