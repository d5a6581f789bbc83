"""What clustering and linking read: faces of one family under one arm, as the pure packages want them.

A person is what runs and users have confirmed; a face that is shown with somebody provisionally counts as waiting.
Cost stays flat over the years: of a great many waiting faces a part is read that changes from month to month.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, select, text

from facealbum.clustering import Observation, TrackState
from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId, PhotoId
from facealbum.domain.months import Month
from facealbum.linking import FaceEvidence, PersonEvidence
from facealbum.storage.decisions import load_person_words
from facealbum.storage.schema import arms, assignments, face_embeddings, faces, links, persons, photos, tracks
from facealbum.storage.told import ARM_AGE, ARM_P_FEMALE, PACKAGED_QUALITY
from facealbum.storage.wire import as_binary, is_one_of, read_embedding

_WAITING_FACES = 5000  # of earlier months
_GOLDEN = (5**0.5 - 1) / 2
_ARM = select(arms.c.arm_id, arms.c.name, arms.c.space_id, arms.c.algorithm, arms.c.parameters)


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of an experiment: an algorithm with parameters over one embedding space."""

    arm_id: int
    name: str
    space_id: int
    algorithm: str
    parameters: Mapping[str, Any]


def load_arm(connection: Connection, name: str) -> Arm | None:
    """The arm of this name; None before its first run."""
    row = connection.execute(_ARM.where(arms.c.name == name)).one_or_none()
    return None if row is None else Arm(*row)


def load_arms(connection: Connection) -> list[Arm]:
    """Every arm, by name."""
    return [Arm(*row) for row in connection.execute(_ARM.order_by(arms.c.name))]


def expect_whole_families(connection: Connection) -> None:
    """Until the transaction ends, have every join read each table's rows of the family once.

    The planner knows nothing yet of rows that were written a moment ago: it took a family's faces for one, and
    compared each of them with each.  Compiling a query costs more than running it here.
    """
    connection.execute(text("SET LOCAL enable_nestloop = off; SET LOCAL jit = off"))


def load_months(connection: Connection, family: FamilyId, through: Month) -> list[Month]:
    """The months in UTC up to `through` in which the family has faces, oldest first."""
    month = func.date_trunc("month", func.timezone("UTC", faces.c.taken_at))
    query = (
        select(month.label("month"))
        .distinct()
        .where(faces.c.family_id == family, faces.c.taken_at < through.next().start())
        .order_by("month")
    )
    return [Month(row.month.year, row.month.month) for row in connection.execute(query)]


def load_face_ids(connection: Connection, family: FamilyId, arm: Arm, month: Month) -> list[FaceId]:
    """The faces of photos taken in the month that have an embedding of the arm's space, sorted."""
    query = (
        select(faces.c.face_id)
        .join(face_embeddings, same_face(face_embeddings.c))
        .where(
            faces.c.family_id == family,
            face_embeddings.c.space_id == arm.space_id,
            faces.c.taken_at >= month.start(),
            faces.c.taken_at < month.next().start(),
        )
        .order_by(faces.c.face_id)
    )
    return [FaceId(row.face_id) for row in connection.execute(query)]


def load_waiting(connection: Connection, family: FamilyId, arm: Arm, *, before: datetime) -> list[Observation]:
    """The faces of the month that ends at `before`, and those of earlier months, that have no confirmed person.

    Of very many earlier ones half are the newest.  The rest of their time is cut into stretches, of which each month
    takes another one whole, since faces of one person wait close together.

    Note: golden turns.  The stretch of month number m begins at the fractional part of m times the golden ratio, so
    that successive months spread evenly however the number of stretches grows, and no face waits for ever.
    """
    month = Month.of(before - timedelta(microseconds=1))
    earlier, turn = faces.c.taken_at < month.start(), (12 * month.year + month.month) * _GOLDEN % 1
    waiting = (
        select(
            faces.c.face_id,
            earlier.label("earlier"),
            func.row_number().over(partition_by=earlier, order_by=[faces.c.taken_at, faces.c.face_id]).label("oldest"),
            func.count().over(partition_by=earlier).label("total"),
        )
        .outerjoin(assignments, confirmed_by(arm))
        .where(
            faces.c.family_id == family,
            ~faces.c.excluded,
            assignments.c.face_id.is_(None),
            faces.c.taken_at < before,
        )
        .subquery()
    )
    half = _WAITING_FACES // 2
    stretches = func.greatest(1, (waiting.c.total - 1) // half)
    query = (
        _observations(family, arm)
        .join(waiting, waiting.c.face_id == faces.c.face_id)
        .where(
            ~waiting.c.earlier
            | (waiting.c.oldest > waiting.c.total - half)
            | ((waiting.c.oldest - 1) // half == func.floor(turn * stretches))
        )
        .order_by(faces.c.face_id)
    )
    return [read_observation(row) for row in connection.execute(query)]


def load_unconfirmed(
    connection: Connection, family: FamilyId, arm: Arm, where: ColumnElement[bool]
) -> list[Observation]:
    """The faces of which this holds that have no confirmed person, sorted."""
    query = (
        _observations(family, arm)
        .outerjoin(assignments, confirmed_by(arm))
        .where(assignments.c.face_id.is_(None), where)
        .order_by(faces.c.face_id)
    )
    return [read_observation(row) for row in connection.execute(query)]


def load_person_faces(
    connection: Connection, family: FamilyId, arm: Arm, person: PersonId, *, most: int
) -> list[Observation]:
    """The newest faces of the person."""
    mine = (assignments.c.arm_id == arm.arm_id) & (assignments.c.person_id == person)
    query = _observations(family, arm).join(assignments, same_face(assignments.c) & mine)
    newest = query.order_by(faces.c.taken_at.desc(), faces.c.face_id).limit(most)
    return [read_observation(row) for row in connection.execute(newest)]


def load_observations(
    connection: Connection, family: FamilyId, arm: Arm, some: Collection[FaceId]
) -> list[Observation]:
    """These faces, sorted; one that has no embedding of the arm's space, or is none, is left out."""
    query = _observations(family, arm).where(is_one_of(faces.c.face_id, some))
    return [read_observation(row) for row in connection.execute(query.order_by(faces.c.face_id))]


def load_photos_of(
    connection: Connection, family: FamilyId, arm: Arm, *, among: Iterable[PhotoId], whole: Collection[PersonId] = ()
) -> dict[PersonId, frozenset[PhotoId]]:
    """Which of these photos show each person; of the `whole` persons all that do."""
    here = is_one_of(faces.c.photo_id, {*among})
    query = (
        select(assignments.c.person_id, faces.c.photo_id)
        .join(faces, confirmed_by(arm))
        .where(assignments.c.family_id == family, here | assignments.c.person_id.in_(whole) if whole else here)
    )
    found: dict[PersonId, set[PhotoId]] = defaultdict(set)
    for row in connection.execute(query):
        found[PersonId(row.person_id)].add(PhotoId(row.photo_id))
    return {person: frozenset(shown) for person, shown in found.items()}


def load_tracks(connection: Connection, family: FamilyId, arm: Arm) -> list[TrackState]:
    """Every track of the videos in which a face of a track belongs to nobody."""
    if not _has_tracks(connection, family):
        return []
    rows = _track_faces(family, arm).subquery()
    waiting = select(rows.c.video_id).where(rows.c.person_id.is_(None))
    query = select(rows).where(rows.c.video_id.in_(waiting)).order_by(rows.c.video_id, rows.c.track, rows.c.face_id)
    found = []
    for (video, _), members in groupby(connection.execute(query), key=lambda row: (row.video_id, row.track)):
        its = list(members)
        found.append(
            TrackState(
                PhotoId(video),
                frozenset(its[0].seen),
                tuple(FaceId(row.face_id) for row in its if row.person_id is None),
                frozenset(PersonId(row.person_id) for row in its if row.person_id is not None),
            )
        )
    return found


def load_evidence(connection: Connection, family: FamilyId, arm: Arm) -> list[PersonEvidence]:
    """What the faces of each person say of its age and gender, and whom it meets."""
    query = (
        select(assignments.c.person_id, faces.c.taken_at, ARM_AGE.label("age"), ARM_P_FEMALE.label("p_female"))
        .add_columns(PACKAGED_QUALITY, faces.c.told_age.is_not(None), faces.c.told_p_female.is_not(None))
        .add_columns(faces.c.face_id)
        .join(faces, confirmed_by(arm))
        .where(assignments.c.family_id == family)
        .order_by(assignments.c.person_id, faces.c.taken_at, faces.c.face_id)
    )
    seen: dict[PersonId, list[FaceEvidence]] = defaultdict(list)
    for row in connection.execute(query):
        seen[PersonId(row.person_id)].append(FaceEvidence(*row[1:]))
    linked = load_links(connection, family, arm)
    meets = _load_meetings(connection, family, arm)
    told = load_person_words(connection, family, arm.arm_id)
    return [
        PersonEvidence(
            person,
            tuple(evidence),
            meets.get(person, frozenset()),
            told.children.get(person, linked.get(person)),
            rejected_children=told.not_children.get(person, frozenset()),
            confirmed=person in told.children,
        )
        for person, evidence in seen.items()
    ]


def load_links(connection: Connection, family: FamilyId, arm: Arm) -> dict[PersonId, ChildId]:
    """The child that each linked person is."""
    query = (
        select(links.c.person_id, links.c.child_id)
        .join(
            persons,
            (persons.c.family_id == links.c.family_id) & (persons.c.person_id == links.c.person_id),
        )
        .where(links.c.family_id == family, persons.c.arm_id == arm.arm_id)
    )
    return {PersonId(row.person_id): ChildId(row.child_id) for row in connection.execute(query)}


def _load_meetings(connection: Connection, family: FamilyId, arm: Arm) -> dict[PersonId, frozenset[PersonId]]:
    """Who was seen beside each person, in a photo or in any sampled frame of a video, also of faces not kept."""
    shown = (
        select(assignments.c.person_id, faces.c.photo_id)
        .distinct()
        .join(faces, confirmed_by(arm))
        .where(assignments.c.family_id == family)
        .cte()
    )
    other = shown.alias()
    beside = (shown.c.photo_id == other.c.photo_id) & (shown.c.person_id != other.c.person_id)
    pairs = select(shown.c.person_id, other.c.person_id.label("other")).distinct().join(other, beside)
    met: dict[PersonId, set[PersonId]] = defaultdict(set)
    for row in connection.execute(pairs):
        met[PersonId(row.person_id)].add(PersonId(row.other))
    for company in _load_company(connection, family, arm):
        for person in company:
            met[person] |= company - {person}
    return {person: frozenset(others) for person, others in met.items()}


def _load_company(connection: Connection, family: FamilyId, arm: Arm) -> list[set[PersonId]]:
    """The persons of each sampled frame of each video."""
    if not _has_tracks(connection, family):
        return []
    together: dict[tuple[UUID, int], set[PersonId]] = defaultdict(set)
    for row in connection.execute(_track_faces(family, arm).where(assignments.c.person_id.is_not(None))):
        for ms in row.seen:
            together[row.video_id, ms].add(PersonId(row.person_id))
    return list(together.values())


def _has_tracks(connection: Connection, family: FamilyId) -> bool:
    """Whether the rest is worth asking; most families have few videos, and the question is cheap."""
    return bool(connection.execute(select(exists().where(tracks.c.family_id == family))).scalar_one())


def _track_faces(family: FamilyId, arm: Arm) -> Select[Any]:
    """video_id, track, seen, face_id and person_id of every kept face of a track."""
    return (
        select(tracks.c.video_id, tracks.c.track, tracks.c.seen, faces.c.face_id, assignments.c.person_id)
        .join(photos, (photos.c.family_id == tracks.c.family_id) & (photos.c.video_id == tracks.c.video_id))
        .join(
            faces,
            (faces.c.family_id == photos.c.family_id)
            & (faces.c.photo_id == photos.c.photo_id)
            & (faces.c.track == tracks.c.track),
        )
        .outerjoin(assignments, confirmed_by(arm))
        .where(tracks.c.family_id == family, ~faces.c.excluded)
    )


def same_face(columns: Any) -> ColumnElement[bool]:  # noqa: ANN401 - SQLAlchemy's column collections
    """Joins a table that has family_id and face_id to `faces`."""
    return and_(columns.family_id == faces.c.family_id, columns.face_id == faces.c.face_id)


def confirmed_by(arm: Arm) -> ColumnElement[bool]:
    """Joins `faces` with the arm's assignments that are no mere provisional matches."""
    return same_face(assignments.c) & (assignments.c.arm_id == arm.arm_id) & (assignments.c.state == "confirmed")


def _observations(family: FamilyId, arm: Arm) -> Select[Any]:
    return (
        select(
            faces.c.face_id,
            faces.c.photo_id,
            faces.c.taken_at,
            PACKAGED_QUALITY.label("quality"),
            faces.c.yaw,
            faces.c.box,
            ARM_AGE.label("age"),
            as_binary(face_embeddings.c.embedding).label("embedding"),
        )
        .join(face_embeddings, same_face(face_embeddings.c))
        .where(faces.c.family_id == family, ~faces.c.excluded, face_embeddings.c.space_id == arm.space_id)
    )


def read_observation(row: Row[Any]) -> Observation:
    """A row with the columns of a face and its `embedding` in binary form."""
    return Observation(
        FaceId(row.face_id),
        PhotoId(row.photo_id),
        row.taken_at,
        row.quality,
        row.yaw,
        row.box[3] - row.box[1],
        read_embedding(row.embedding),
        age=row.age,
    )
