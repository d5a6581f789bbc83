"""Samples for annotators: what may be drawn of each family, what was drawn, and the pictures that show it.

A family is read at a time, and of its embeddings only those whose pairs are offered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from eval.annotation import AnnotationEstimate, Design, FamilyFaces, Item, Kind, Picture, Place, StratumSize, paired
from facealbum.domain.faces import Box
from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId, PhotoId
from facealbum.domain.months import Month
from facealbum.errors import ConflictError, InvalidValueError
from facealbum.storage.annotation_schema import labels, sample_items, samples
from facealbum.storage.families import load_children
from facealbum.storage.observations import Arm
from facealbum.storage.schema import assignments, face_embeddings, faces, families, links, photos
from facealbum.storage.wire import as_binary, read_embedding

_ROOT = UUID("9d8e2a8c-6a51-5b0f-8f4e-2f8f6a3f7c11")


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A sample as it was drawn; labelled: items with a label; estimate: as it was concluded."""

    sample_id: UUID
    design: Design
    families: int
    strata: tuple[StratumSize, ...]
    drawn_at: datetime
    items: int
    labelled: int
    estimate: Mapping[str, Any] | None
    concluded_at: datetime | None


@dataclass(frozen=True, slots=True)
class FacePicture:
    """Where a face can be seen: in which upload, in a video at which moment, in which box."""

    face_id: FaceId
    sha256: bytes
    frame_ms: int | None
    box: Box


def load_family_ids(connection: Connection, *, after: UUID, limit: int) -> list[FamilyId]:
    """The next families in the order of ids."""
    query = select(families.c.family_id).where(families.c.family_id > after).order_by(families.c.family_id)
    return [FamilyId(one) for one in connection.execute(query.limit(limit)).scalars()]


def load_family_faces(connection: Connection, family: FamilyId, design: Design, arms: Sequence[Arm]) -> FamilyFaces:
    """What may be drawn of the family: its faces that the first arm's space has an embedding of."""
    pictures = _load_pictures(connection, family, arms[0], design.month)
    of = paired(design.seed, pictures) if design.kind is Kind.PAIRS else []
    return FamilyFaces(
        family,
        pictures,
        {arm.name: _load_places(connection, family, arm) if pictures else {} for arm in arms},
        {arm.name: float(arm.parameters["clustering"]["similarity"]) for arm in arms},
        {child.child_id: (child.birth_date, child.gender.value) for child in load_children(connection, family)},
        _load_embeddings(connection, family, arms[0], [face.face_id for face in of]),
    )


def _load_pictures(connection: Connection, family: FamilyId, arm: Arm, month: Month | None) -> list[Picture]:
    query = (
        select(faces.c.face_id, faces.c.photo_id, faces.c.taken_at)
        .join(
            face_embeddings,
            (face_embeddings.c.family_id == faces.c.family_id) & (face_embeddings.c.face_id == faces.c.face_id),
        )
        .where(faces.c.family_id == family, ~faces.c.excluded, face_embeddings.c.space_id == arm.space_id)
    )
    if month is not None:
        query = query.where(faces.c.taken_at >= month.start(), faces.c.taken_at < month.next().start())
    return [
        Picture(FaceId(row.face_id), PhotoId(row.photo_id), row.taken_at)
        for row in connection.execute(query.order_by(faces.c.face_id))
    ]


def _load_places(connection: Connection, family: FamilyId, arm: Arm) -> dict[FaceId, Place]:
    mine = (links.c.family_id == assignments.c.family_id) & (links.c.person_id == assignments.c.person_id)
    query = (
        select(assignments.c.face_id, assignments.c.person_id, assignments.c.score, links.c.child_id)
        .outerjoin(links, mine)
        .where(assignments.c.family_id == family, assignments.c.arm_id == arm.arm_id)
    )
    return {
        FaceId(row.face_id): Place(PersonId(row.person_id), row.score, ChildId(row.child_id) if row.child_id else None)
        for row in connection.execute(query)
    }


def _load_embeddings(
    connection: Connection, family: FamilyId, arm: Arm, some: Sequence[FaceId]
) -> Mapping[FaceId, Any]:
    if not some:
        return {}
    query = select(face_embeddings.c.face_id, as_binary(face_embeddings.c.embedding).label("embedding")).where(
        face_embeddings.c.family_id == family,
        face_embeddings.c.space_id == arm.space_id,
        face_embeddings.c.face_id.in_(some),
    )
    return {FaceId(row.face_id): read_embedding(row.embedding) for row in connection.execute(query)}


def save_sample(
    connection: Connection,
    design: Design,
    items: Sequence[Item],
    strata: Sequence[StratumSize],
    *,
    families: int,
    now: datetime,
) -> None:
    """Write the sample with its items; raises InvalidValueError if there is one of this name."""
    if find_sample(connection, design.name) is not None:
        raise InvalidValueError(f"there is a sample {design.name!r} already; give this one another name")
    connection.execute(
        insert(samples).values(
            sample_id=(sample := uuid5(_ROOT, design.name)),
            name=design.name,
            kind=design.kind.value,
            size=design.size,
            seed=design.seed,
            arms=list(design.arms),
            stratified_by=list(design.strata),
            month=str(design.month) if design.month else None,
            allocation=design.allocation,
            families=families,
            strata=[asdict(one) for one in strata],
            drawn_at=now,
        )
    )
    connection.execute(insert(sample_items), [_item_row(item) | {"sample_id": sample} for item in items])


def _item_row(item: Item) -> dict[str, Any]:
    return asdict(item) | {"faces": list(item.faces), "together": list(item.together)}


def load_samples(connection: Connection, name: str | None = None) -> list[SampleRow]:
    """Every sample, the newest first, or that of this name."""
    asked = select(func.count()).where(sample_items.c.sample_id == samples.c.sample_id).scalar_subquery()
    answered = (
        select(func.count(labels.c.item_id.distinct()))
        .where(labels.c.sample_id == samples.c.sample_id)
        .scalar_subquery()
    )
    query = select(samples, asked.label("items"), answered.label("labelled"))
    wanted = query if name is None else query.where(samples.c.name == name)
    return [_sample(row) for row in connection.execute(wanted.order_by(samples.c.drawn_at.desc(), samples.c.name))]


def find_sample(connection: Connection, name: str) -> SampleRow | None:
    """The sample of this name."""
    return next(iter(load_samples(connection, name)), None)


def _sample(row: Row[Any]) -> SampleRow:
    design = Design(
        row.name,
        Kind(row.kind),
        row.size,
        row.seed,
        tuple(row.arms),
        tuple(row.stratified_by),
        Month.parse(row.month) if row.month else None,
    )
    strata = tuple(StratumSize(**one) for one in row.strata)
    counts = (row.items, row.labelled, row.estimate, row.concluded_at)
    return SampleRow(row.sample_id, design, row.families, strata, row.drawn_at, *counts)


def load_items(connection: Connection, sample: UUID) -> list[Item]:
    """The items whose family is still there, in the order of their ids, which tells nothing of them."""
    query = select(sample_items).where(sample_items.c.sample_id == sample).order_by(sample_items.c.item_id)
    return [_item(row) for row in connection.execute(query)]


def find_item(connection: Connection, sample: UUID, item: UUID) -> Item | None:
    """The item, if its family is still there."""
    query = select(sample_items).where(sample_items.c.sample_id == sample, sample_items.c.item_id == item)
    row = connection.execute(query).one_or_none()
    return None if row is None else _item(row)


def find_open_item(connection: Connection, sample: UUID, annotator: str, *, after: UUID | None = None) -> Item | None:
    """The first item in the order of ids that the annotator has not labelled; after: those up to it come last."""
    mine = (labels.c.family_id == sample_items.c.family_id) & (labels.c.sample_id == sample_items.c.sample_id)
    mine &= (labels.c.item_id == sample_items.c.item_id) & (labels.c.annotator == annotator)
    query = select(sample_items).where(sample_items.c.sample_id == sample, ~exists().where(mine))
    order = (sample_items.c.item_id,) if after is None else (sample_items.c.item_id <= after, sample_items.c.item_id)
    row = connection.execute(query.order_by(*order).limit(1)).one_or_none()
    return None if row is None else _item(row)


def _item(row: Row[Any]) -> Item:
    return Item(
        FamilyId(row.family_id),
        row.item_id,
        row.stratum,
        row.probability,
        tuple(map(FaceId, row.faces)),
        row.arm,
        row.person_id,
        row.child_id,
        tuple(row.together),
        row.size,
        row.decision,
    )


def save_decided(connection: Connection, sample: UUID, item: Item, number: int) -> None:
    """Note the decision that the item's labels became; raises InvalidValueError if there is one already."""
    mine = (sample_items.c.family_id == item.family_id) & (sample_items.c.sample_id == sample)
    free = mine & (sample_items.c.item_id == item.item_id) & sample_items.c.decision.is_(None)
    if not connection.execute(update(sample_items).where(free).values(decision=number)).rowcount:
        raise InvalidValueError("somebody else has made a decision of this item meanwhile")


def conclude_sample(connection: Connection, sample: UUID, estimate: AnnotationEstimate, *, now: datetime) -> None:
    """Keep the estimate, whatever becomes of the families; raises ConflictError if it was concluded before."""
    values = {"estimate": estimate.to_dict(), "concluded_at": now}
    open_one = (samples.c.sample_id == sample) & samples.c.concluded_at.is_(None)
    if not connection.execute(update(samples).where(open_one).values(**values)).rowcount:
        raise ConflictError(f"{estimate.sample} was concluded before; draw another sample for another estimate")


def delete_sample(connection: Connection, sample: UUID) -> None:
    """Delete the sample with its items and labels; decisions that were made of them stay."""
    connection.execute(delete(samples).where(samples.c.sample_id == sample))


def load_face_pictures(connection: Connection, family: FamilyId, some: Sequence[FaceId]) -> dict[FaceId, FacePicture]:
    """Where these faces can be seen; those that are gone are left out."""
    query = (
        select(faces.c.face_id, photos.c.sha256, photos.c.frame_ms, faces.c.box)
        .join(photos, (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id))
        .where(faces.c.family_id == family, faces.c.face_id.in_(some))
    )
    return {
        FaceId(row.face_id): FacePicture(FaceId(row.face_id), bytes(row.sha256), row.frame_ms, Box(*row.box))
        for row in connection.execute(query)
    }
