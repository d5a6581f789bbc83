"""Which embedding space the database works in, and which photos were analysed by other models than today's."""

from sqlalchemy import Connection, func, select, update
from sqlalchemy.sql import ColumnElement

from facealbum.domain.ids import FamilyId
from facealbum.storage.schema import arms, embedding_spaces, photos


def load_space(connection: Connection, arm: str) -> str | None:
    """The space that the arm of this name reads; None if there is no such arm yet."""
    query = select(embedding_spaces.c.name).join(arms, arms.c.space_id == embedding_spaces.c.space_id)
    return connection.execute(query.where(arms.c.name == arm)).scalar_one_or_none()


def count_outdated(connection: Connection, analyzer_id: int) -> int:
    """How many photos were analysed, but by another analyzer than this one."""
    return connection.execute(select(func.count()).select_from(photos).where(_outdated(analyzer_id))).scalar_one()


def mark_outdated(connection: Connection, family: FamilyId, analyzer_id: int) -> int:
    """Let the family's photos of other analyzers wait for analysis again; their faces and persons stay."""
    statement = update(photos).where(photos.c.family_id == family, _outdated(analyzer_id)).values(status="pending")
    return connection.execute(statement).rowcount


def _outdated(analyzer_id: int) -> ColumnElement[bool]:
    return (photos.c.status == "analysed") & (photos.c.analyzer_id != analyzer_id)
