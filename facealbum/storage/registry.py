"""Versions of models and every change of their stages.

Whoever changes the registry holds its lock until the transaction ends, so numbers and stages follow one another; the
database itself refuses a second version in production in one slot, and any change to what was recorded.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, text, update

from facealbum.domain.model_versions import Change, ModelKind, ModelVersion, Move, Stage, slot_of
from facealbum.errors import UnknownModelError
from facealbum.storage.registry_schema import model_changes, model_versions
from facealbum.storage.schema import arms

_LOCK = 0x6D6F_6465  # "mode": any fixed number that nobody else takes an advisory lock on


@dataclass(frozen=True, slots=True)
class Deed:
    """Who changes stages, and why; overridden: gates passed over; promotion: that of the arm that comes with it."""

    author: str
    reason: str
    at: datetime
    approver: str | None = None
    overridden: tuple[str, ...] = ()
    promotion: int | None = None


def lock_registry(connection: Connection) -> None:
    """Let nobody else change the registry until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def save_version(connection: Connection, **fields: object) -> int:
    """A new row of the table, in a registry that the caller has locked; returns its id."""
    row = {"slot": slot_of(ModelKind(str(fields["kind"])), str(fields["name"])), "gates": {}, **fields}
    return int(connection.execute(insert(model_versions).values(row).returning(model_versions.c.model_id)).scalar_one())


def update_version(connection: Connection, model_id: int, **values: object) -> None:
    """Change these columns of a version; never its stage, which `save_moves` does."""
    connection.execute(update(model_versions).where(model_versions.c.model_id == model_id).values(**values))


def next_version(connection: Connection, kind: ModelKind, name: str) -> str:
    """The first free number of the name."""
    query = select(model_versions.c.version).where(model_versions.c.kind == kind, model_versions.c.name == name)
    numbers = [int(one) for one in connection.execute(query).scalars() if one.isdecimal()]
    return str(max(numbers, default=0) + 1)


def load_versions_of(
    connection: Connection, *, kind: ModelKind | None = None, name: str | None = None, slot: str | None = None
) -> list[ModelVersion]:
    """All versions, or those of a kind, name or slot, in the order of their registration."""
    wanted = {model_versions.c.kind: kind, model_versions.c.name: name, model_versions.c.slot: slot}
    query = _versions().where(*(column == value for column, value in wanted.items() if value is not None))
    return [_version(row) for row in connection.execute(query.order_by(model_versions.c.model_id))]


def find_version(connection: Connection, kind: ModelKind, name: str, sha256: str) -> ModelVersion | None:
    """The version with exactly this artefact."""
    return next((one for one in load_versions_of(connection, kind=kind, name=name) if one.sha256 == sha256), None)


def load_version(connection: Connection, model_id: int) -> ModelVersion:
    """The version of this id; raises UnknownModelError."""
    row = connection.execute(_versions().where(model_versions.c.model_id == model_id)).one_or_none()
    if row is None:
        raise UnknownModelError(f"no model has the id {model_id}; `facealbum models versions` shows all")
    return _version(row)


def load_production(connection: Connection, slot: str) -> ModelVersion | None:
    """The version that serves in this slot."""
    query = _versions().where(model_versions.c.slot == slot, model_versions.c.stage == Stage.PRODUCTION)
    row = connection.execute(query).one_or_none()
    return None if row is None else _version(row)


def save_moves(connection: Connection, moves: Iterable[Move], deed: Deed, *, undoes: int | None = None) -> int | None:
    """Make these moves as one act and put them on record; the act's number, None if there was nothing to move."""
    act = _next_number(connection)
    rows = [_row(act + place, act, move, deed, undoes) for place, move in enumerate(moves)]
    for row in rows:
        update_version(connection, row["model_id"], stage=row["after"], asked_by=None)
    if rows:
        connection.execute(insert(model_changes), rows)
    return act if rows else None


def save_registration(connection: Connection, model_id: int, deed: Deed) -> None:
    """Put on record that a version was registered."""
    number = _next_number(connection)
    connection.execute(insert(model_changes).values(_row(number, number, Move(model_id, None, Stage.DRAFT), deed)))


def load_changes(
    connection: Connection,
    *,
    model_id: int | None = None,
    slot: str | None = None,
    act: int | None = None,
    promotion: int | None = None,
    limit: int | None = None,
) -> list[Change]:
    """Every change, or those of one version, slot, act or promotion of an arm, the newest first."""
    query = select(model_changes).join(model_versions).order_by(model_changes.c.number.desc()).limit(limit)
    wanted = {
        model_changes.c.model_id: model_id,
        model_versions.c.slot: slot,
        model_changes.c.act: act,
        model_changes.c.promotion: promotion,
    }
    query = query.where(*(column == value for column, value in wanted.items() if value is not None))
    return [_change(row) for row in connection.execute(query)]


def _next_number(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.max(model_changes.c.number), 0) + 1)).scalar_one())


def _row(number: int, act: int, move: Move, deed: Deed, undoes: int | None = None) -> dict[str, Any]:
    return {
        **{name: getattr(deed, name) for name in Deed.__dataclass_fields__},
        **{name: getattr(move, name) for name in Move.__dataclass_fields__},
        "overridden": list(deed.overridden),
        "number": number,
        "act": act,
        "undoes": undoes,
    }


def _versions() -> Select[Any]:
    known = {**model_versions.c, "primary": model_versions.c.primary_metric, "arm": arms.c.name}
    columns = [known[name].label(name) for name in ModelVersion.__dataclass_fields__]
    return select(*columns).select_from(model_versions).outerjoin(arms, arms.c.arm_id == model_versions.c.arm_id)


def _version(row: Row[Any]) -> ModelVersion:
    return ModelVersion(**row._asdict() | {"kind": ModelKind(row.kind), "stage": Stage(row.stage)})


def _change(row: Row[Any]) -> Change:
    before = None if row.before is None else Stage(row.before)
    ends = {"before": before, "after": Stage(row.after), "overridden": tuple(row.overridden)}
    return Change(**row._asdict() | ends)
