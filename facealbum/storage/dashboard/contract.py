"""What the schema `dashboard` promises: its relations and columns with their comments, as the database tells them."""

from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a relation; kind: its type, as PostgreSQL writes it."""

    name: str
    kind: str
    about: str


@dataclass(frozen=True, slots=True)
class View:
    """A view, or an aggregate that is refreshed."""

    name: str
    about: str
    aggregate: bool
    columns: tuple[ViewColumn, ...]


_RELATIONS = text("""
    SELECT c.relname, obj_description(c.oid, 'pg_class'), c.relkind = 'r', a.attname,
           format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'dashboard'::regnamespace AND c.relkind IN ('r', 'v')
      AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'changes'
    ORDER BY c.relname, a.attnum
""")


def load_views(connection: Connection) -> list[View]:
    """Every relation that others may read, by name; a comment that is missing is empty."""
    rows = connection.execute(_RELATIONS).all()
    return [
        View(*(name, about or "", aggregate), tuple(ViewColumn(row[3], row[4], row[5] or "") for row in members))
        for (name, about, aggregate), members in groupby(rows, key=lambda row: (row[0], row[1], row[2]))
    ]
