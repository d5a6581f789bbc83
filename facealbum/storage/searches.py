"""Searches over parameters, where the trials of one are kept, and the families that it looks at.

Trials are kept by Optuna in the schema `search` of the same database, in tables that Optuna makes and migrates.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, Row, Select, insert, select, update

from eval.albums import AlbumFace
from eval.tuning.families import PastFamily
from eval.tuning.study import open_library
from facealbum.domain.faces import Box, Face
from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.errors import UnknownSearchError
from facealbum.storage.database import Database
from facealbum.storage.families import Family, load_children
from facealbum.storage.observations import read_observation, same_face
from facealbum.storage.schema import arms, face_embeddings, faces, families, photos
from facealbum.storage.search_schema import searches
from facealbum.storage.told import LIKELY_AGE, LIKELY_P_FEMALE
from facealbum.storage.wire import as_binary

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

_HEARTBEAT_SECONDS = 20
_STALE_SECONDS = 120  # after which a trial's process is taken to be dead
_TRIES_AGAIN = 2


@dataclass(frozen=True, slots=True)
class Search:
    """A search; base: the arm that it began with.  plan, outcome: as facealbum.steps.searches writes them.

    arm: the one that was proposed.
    """

    search_id: int
    name: str
    base: Mapping[str, Any]
    plan: Mapping[str, Any]
    author: str
    created_at: datetime
    outcome: Mapping[str, Any] | None
    concluded_at: datetime | None
    arm: str | None


def save_search(
    connection: Connection,
    name: str,
    *,
    base: Mapping[str, Any],
    plan: Mapping[str, Any],
    author: str,
    now: datetime,
) -> None:
    """Keep a new search."""
    row = {"name": name, "base": dict(base), "plan": dict(plan), "author": author, "created_at": now}
    connection.execute(insert(searches).values(row))


def update_search(connection: Connection, search_id: int, **values: object) -> None:
    """Change these columns."""
    connection.execute(update(searches).where(searches.c.search_id == search_id).values(**values))


def load_search(connection: Connection, name: str, *, lock: bool = False) -> Search:
    """The search of this name, held until the transaction ends if `lock`; raises UnknownSearchError."""
    query = _searches().where(searches.c.name == name)
    row = connection.execute(query.with_for_update(of=searches) if lock else query).one_or_none()
    if row is None:
        raise UnknownSearchError(f"no search is called {name!r}; `facealbum search status` shows all")
    return _search(row)


def load_searches(connection: Connection) -> list[Search]:
    """Every search, the newest first."""
    return [_search(row) for row in connection.execute(_searches().order_by(searches.c.search_id.desc()))]


def load_family_ids(connection: Connection, *, before: datetime) -> list[FamilyId]:
    """The families that were registered by then."""
    query = select(families.c.family_id).where(families.c.created_at <= before).order_by(families.c.family_id)
    return [FamilyId(one) for one in connection.execute(query).scalars()]


def load_past_family(
    connection: Connection, family: Family, *, space_id: int, through: Month, before: datetime
) -> PastFamily:
    """The family's faces up to a month's end that were analysed by then, with the vectors of one space."""
    query: Select[Any] = (
        select(
            *(faces.c[name] for name in ("face_id", "photo_id", "taken_at", "quality", "yaw", "box")),
            LIKELY_AGE.label("age"),
            LIKELY_P_FEMALE.label("p_female"),
            as_binary(face_embeddings.c.embedding).label("embedding"),
        )
        .join(face_embeddings, same_face(face_embeddings.c))
        .join(photos, (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id))
        .where(
            faces.c.family_id == family.family_id,
            ~faces.c.excluded,
            faces.c.taken_at < through.next().start(),
            face_embeddings.c.space_id == space_id,
            photos.c.analysed_at <= before,
        )
    )
    seen = [_face(family, row) for row in connection.execute(query)]
    return PastFamily.of(family.name, load_children(connection, family.family_id), seen)


@contextmanager
def open_trials(database: Database) -> Iterator["BaseStorage"]:
    """Where trials are kept, with connections of its own; raises ModelError without the extra `train`.

    Whoever works on a trial tells so every few seconds; one that has fallen silent is given up and tried again.
    """
    with open_library() as optuna:
        storage = optuna.storages.RDBStorage(
            database.engine.url.render_as_string(hide_password=False),
            engine_kwargs={"connect_args": {"options": "-csearch_path=search", "application_name": "facealbum"}},
            heartbeat_interval=_HEARTBEAT_SECONDS,
            grace_period=_STALE_SECONDS,
            heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=_TRIES_AGAIN),
        )
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _searches() -> Select[Any]:
    columns = [searches.c[name] for name in Search.__dataclass_fields__ if name != "arm"]
    return select(*columns, arms.c.name.label("arm")).outerjoin(arms, arms.c.arm_id == searches.c.arm_id)


def _search(row: Row[Any]) -> Search:
    return Search(**row._asdict())


def _face(family: Family, row: Row[Any]) -> AlbumFace:
    """As albums in memory have it; what clustering and linking don't read is left at nought."""
    seen = read_observation(row)
    face = Face(
        box=Box(*row.box),
        landmarks=np.zeros((5, 2), np.float32),
        yaw=row.yaw,
        pitch=0.0,
        roll=0.0,
        age=row.age,
        p_female=row.p_female,
        quality=row.quality,
        score=0.0,
        embedding=seen.embedding,
    )
    return AlbumFace(family.name, str(row.photo_id), seen, face)
