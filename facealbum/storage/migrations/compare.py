"""What the comparison of models and migrations looks at: our tables, without PostgreSQL's own for each partition."""

import re

from sqlalchemy.schema import SchemaItem

_OF_A_PARTITION = re.compile(r"_p\d+(_|$)|_fkey_\d+$")
_OF_THE_PAST = "known_since"  # the database keeps this column by itself, and only storage.past reads it


def include_object(_item: SchemaItem, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:  # noqa: FBT001 - alembic's signature
    """Whether alembic compares this item."""
    if kind == "column" and name == _OF_THE_PAST:
        return False
    compared_by_name = kind in {"table", "index", "foreign_key_constraint"}
    return not (compared_by_name and name is not None and _OF_A_PARTITION.search(name))
