"""How right albums and models are by what people said: of a sample's items, and summed over what users decided.

The sums are the database's; no family's rows are read into memory.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    Select,
    Table,
    Uuid,
    cast,
    func,
    literal,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import array

from eval.annotation import Asked, Kind
from eval.metrics.estimates import Sums
from eval.metrics.slices import EVERYTHING
from facealbum.storage.annotation_schema import sample_items
from facealbum.storage.face_slices import AGE_RIGHT, CHILD_SLICES, FACE_SLICES, GENDER_RIGHT, child_slices, size_of
from facealbum.storage.metric_totals import Key, sum_counts
from facealbum.storage.observations import same_face
from facealbum.storage.schema import assignments, children, faces, links

_DAYS_A_YEAR = 365.25

_JUDGED = text("""
    SELECT family_id, face_id, coalesce(place IS NULL OR place #> '{before,person_id}' = place #> '{after,person_id}',
                                        false) AS "right"
    FROM (
        SELECT DISTINCT ON (family_id, face) family_id, face::uuid AS face_id, kind, place
        FROM decisions
        CROSS JOIN jsonb_array_elements_text(subject->'faces') face
        LEFT JOIN LATERAL jsonb_array_elements(correction->'places') place
            ON place->'key'->>1 = face AND (place->'key'->>0)::integer = arm_id
        WHERE arm_id = :arm AND undone_at IS NULL AND kind IN ('confirm', 'reject', 'move', 'split', 'not_a_face')
        ORDER BY family_id, face, number
    ) first
    WHERE CASE WHEN place IS NULL THEN kind = 'confirm' ELSE place->'before' <> 'null' END
""").columns(family_id=Uuid, face_id=Uuid, right=Boolean)
"""The faces of which users said whose they are, and whether they were with that person before; of each the first word.

Faces that were with nobody are left out: that they wait is coverage.
"""
_LINKED = text("""
    SELECT family_id, (link #>> '{before,child_id}')::uuid AS child_id, decided_at,
           coalesce(link #> '{before,child_id}' = link #> '{after,child_id}', false) AS "right"
    FROM (
        SELECT DISTINCT ON (family_id, subject->>'person') family_id, decided_at, link
        FROM decisions
        LEFT JOIN LATERAL jsonb_array_elements(correction->'links') link ON link->>'key' = subject->>'person'
        WHERE arm_id = :arm AND undone_at IS NULL AND kind IN ('link', 'unlink')
        ORDER BY family_id, subject->>'person', number
    ) first
    WHERE link->'before' <> 'null'
""").columns(family_id=Uuid, child_id=Uuid, decided_at=DateTime(timezone=True), right=Boolean)
"""The persons who were linked when users said which child they are, and whether to that one."""


def load_asked(connection: Connection, sample: UUID, kind: Kind) -> dict[UUID, Asked]:
    """What is known of each item's faces; nothing of items whose faces are gone, or of clusters."""
    if kind is Kind.CLUSTERS:
        return {}
    item = sample_items.c
    shown = func.unnest(item.faces).table_valued("face_id", with_ordinality="place").render_derived("shown")
    query = (
        select(item.item_id, FACE_SLICES, CHILD_SLICES, AGE_RIGHT, GENDER_RIGHT, children.c.child_id)
        .select_from(sample_items)
        .join(shown, shown.c.place <= (2 if kind is Kind.PAIRS else 1))
        .join(faces, (faces.c.family_id == item.family_id) & (faces.c.face_id == shown.c.face_id))
        .outerjoin(children, (children.c.family_id == item.family_id) & (children.c.child_id == item.child_id))
        .where(item.sample_id == sample)
    )
    found: dict[UUID, list[Asked]] = defaultdict(list)
    for identity, of_face, of_child, age, gender, child in connection.execute(query):
        known = (tuple(of_child), age, gender) if child else ()
        found[identity].append(Asked(tuple(of_face), *known))
    return {identity: _together(some) for identity, some in found.items()}


def _together(some: list[Asked]) -> Asked:
    """Of a pair the slices of both."""
    if len(some) == 1:
        return some[0]
    return Asked(tuple(sorted({part for one in some for part in one.slices})))


def sum_told(connection: Connection, arm_id: int) -> dict[Key, Sums]:
    """Of what users said of the arm's albums, how much was right before, by measure and slice, over all families."""
    every = union_all(_faces_judged(arm_id), _persons_linked(arm_id), *_children_shown(arm_id)).subquery()
    part = func.unnest(func.array_append(every.c.slices, EVERYTHING)).label("slice")
    counted = select(every.c.metric, every.c.family_id, part, every.c.right).subquery()
    by_family = (
        select(
            counted.c.metric,
            counted.c.slice,
            cast(func.sum(cast(counted.c.right, Integer)), Float(53)).label("total"),
            cast(func.count(), Float(53)).label("cases"),
        )
        .group_by(counted.c.metric, counted.c.slice, counted.c.family_id)
        .subquery()
    )
    return sum_counts(connection, by_family)


def _faces_judged(arm_id: int) -> Select[Any]:
    judged = _JUDGED.bindparams(arm=arm_id).subquery("judged")
    here = (faces.c.family_id == judged.c.family_id) & (faces.c.face_id == judged.c.face_id)
    return _rows("assignment_precision", judged.c.family_id, FACE_SLICES, judged.c.right).join_from(judged, faces, here)


def _persons_linked(arm_id: int) -> Select[Any]:
    linked = _LINKED.bindparams(arm=arm_id).subquery("linked")
    age = cast(cast(linked.c.decided_at, Date) - children.c.birth_date, Float) / _DAYS_A_YEAR
    slices = array([*child_slices(age), size_of(linked.c.family_id)])
    here = (children.c.family_id == linked.c.family_id) & (children.c.child_id == linked.c.child_id)
    return _rows("link_precision", linked.c.family_id, slices, linked.c.right).join_from(linked, children, here)


def _children_shown(arm_id: int) -> Iterator[Select[Any]]:
    """Confirmed faces of persons whom users linked to a child."""
    for metric, right in (("age_right", AGE_RIGHT), ("gender_right", GENDER_RIGHT)):
        yield (
            _rows(metric, faces.c.family_id, CHILD_SLICES, right)
            .join_from(faces, assignments, same_face(assignments.c))
            .join(links, _both(links, assignments, "person_id"))
            .join(children, _both(children, links, "child_id"))
            .where(
                assignments.c.arm_id == arm_id,
                assignments.c.state == "confirmed",
                links.c.confirmed,
                ~faces.c.excluded,
                right.is_not(None),
            )
        )


def _rows(
    metric: str, family: ColumnElement[UUID], slices: ColumnElement[Any], right: ColumnElement[bool]
) -> Select[Any]:
    return select(literal(metric).label("metric"), family, slices.label("slices"), right.label("right"))


def _both(one: Table, other: Table, key: str) -> ColumnElement[bool]:
    return (one.c.family_id == other.c.family_id) & (one.c[key] == other.c[key])
