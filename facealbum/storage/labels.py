"""What annotators said of a sample's items; a family's labels go with it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from eval.annotation import Answer, Item, Label
from facealbum.storage.annotation_schema import labels


def save_labels(
    connection: Connection, sample: UUID, items: Mapping[UUID, Item], given: Iterable[Label], *, now: datetime
) -> int:
    """Write labels of these items, each annotator's last word; tells how many are new or say something else."""
    rows = [
        {
            "family_id": items[label.item_id].family_id,
            "sample_id": sample,
            "item_id": label.item_id,
            "annotator": label.annotator,
            "answer": label.answer.value,
            "odd": list(label.odd),
            "labelled_at": now,
        }
        for label in given
    ]
    if not rows:
        return 0
    new = insert(labels).values(rows)
    news = {name: new.excluded[name] for name in ("answer", "odd", "labelled_at")}
    other = or_(*(labels.c[name] != new.excluded[name] for name in ("answer", "odd")))
    return connection.execute(
        new.on_conflict_do_update(index_elements=list(labels.primary_key), set_=news, where=other)
    ).rowcount


def load_labels(connection: Connection, sample: UUID) -> list[Label]:
    """Every label of the sample, by item and annotator."""
    query = select(labels).where(labels.c.sample_id == sample).order_by(labels.c.item_id, labels.c.annotator)
    return [_label(row) for row in connection.execute(query)]


def find_label(connection: Connection, sample: UUID, item: UUID, annotator: str) -> Label | None:
    """What the annotator said of the item."""
    of_item = (labels.c.sample_id == sample, labels.c.item_id == item, labels.c.annotator == annotator)
    row = connection.execute(select(labels).where(*of_item)).one_or_none()
    return None if row is None else _label(row)


def count_labels(connection: Connection, sample: UUID, annotator: str) -> int:
    """How many items of the sample the annotator has labelled."""
    query = select(func.count()).select_from(labels)
    return connection.execute(query.where(labels.c.sample_id == sample, labels.c.annotator == annotator)).scalar_one()


def _label(row: Row[Any]) -> Label:
    return Label(row.item_id, row.annotator, Answer(row.answer), tuple(row.odd))
