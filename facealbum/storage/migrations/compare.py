"""What the comparison of models and migrations looks at: our tables, but not their hash partitions."""

import re

from sqlalchemy.schema import SchemaItem

_PARTITION = re.compile(r"_p\d+(_|$)")


def include_object(_item: SchemaItem, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:  # noqa: FBT001 - alembic's signature
    """Whether alembic compares this item."""
    return not (kind in {"table", "index"} and name is not None and _PARTITION.search(name))
