"""What a review reads of a family, the answers it was given, and how far each family is.

Bounded: of a person's faces some 100 are read, half of them the newest and the others spread over its time, fewer where
there are more than 40 persons, down to some 20; and of the waiting faces the 1,000 newest.  Answers are written under
`lock_family`.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from facealbum.clustering import Observation
from facealbum.domain.ids import FaceId, FamilyId, PersonId, PhotoId
from facealbum.review import Answer, Census, Progress
from facealbum.storage.observations import Arm, load_observations
from facealbum.storage.review_schema import review_answers, review_progress
from facealbum.storage.schema import assignments, breakage, face_embeddings, faces, families, runs
from facealbum.storage.wire import is_one_of

_OF_PERSON, _OF_PERSON_AT_LEAST, _OF_ALL, _WAITING = 100, 20, 4000, 1000


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer; faces: how many the persons asked about had; decisions: the numbers of those that it came to."""

    question_id: UUID
    answer: Answer
    faces: int
    decisions: tuple[int, ...]
    author: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class FamilyProgress:
    """How far a family was when it was looked at last, and how many faces the next answer settles."""

    family_id: FamilyId
    name: str
    progress: Progress
    settles: float
    looked_at: datetime


def load_faces_to_review(connection: Connection, family: FamilyId, arm: Arm) -> list[Observation]:
    """The faces to judge the family by, sorted."""
    place = (assignments.c.family_id == faces.c.family_id) & (assignments.c.face_id == faces.c.face_id)
    seen = (face_embeddings.c.family_id == faces.c.family_id) & (face_embeddings.c.face_id == faces.c.face_id)
    newest = [faces.c.taken_at.desc(), faces.c.face_id]
    ranked = (
        select(
            faces.c.face_id,
            assignments.c.person_id,
            func.row_number().over(partition_by=assignments.c.person_id, order_by=newest).label("newest"),
            func.count().over(partition_by=assignments.c.person_id).label("total"),
        )
        .join(face_embeddings, seen & (face_embeddings.c.space_id == arm.space_id))
        .outerjoin(assignments, place & (assignments.c.arm_id == arm.arm_id))
        .where(faces.c.family_id == family, ~faces.c.excluded)
        .subquery()
    )
    mine = (assignments.c.family_id == family) & (assignments.c.arm_id == arm.arm_id)
    persons = connection.execute(select(func.count(assignments.c.person_id.distinct())).where(mine)).scalar_one()
    half = max(_OF_PERSON_AT_LEAST, min(_OF_PERSON, _OF_ALL // max(1, persons))) // 2
    step = func.greatest(1, ranked.c.total // half)
    of_person = (ranked.c.newest <= half) | (func.mod(ranked.c.newest, step) == 0)
    waits = ranked.c.person_id.is_(None)
    query = select(ranked.c.face_id).where((waits & (ranked.c.newest <= _WAITING)) | (~waits & of_person))
    return load_observations(connection, family, arm, [FaceId(row.face_id) for row in connection.execute(query)])


def load_census(
    connection: Connection, family: FamilyId, arm_id: int, *, photos: Collection[PhotoId], some: Collection[FaceId]
) -> Census:
    """Of all faces how many show each person and who met, and whom these photos and faces show."""
    mine = (assignments.c.family_id == family) & (assignments.c.arm_id == arm_id)
    placed = (faces.c.family_id == assignments.c.family_id) & (faces.c.face_id == assignments.c.face_id)
    counts = select(assignments.c.person_id, func.count()).where(mine).group_by(assignments.c.person_id)
    sizes = {PersonId(person): number for person, number in connection.execute(counts)}
    seen = select(assignments.c.person_id, faces.c.photo_id).join(faces, placed).where(mine).cte("seen")
    beside = seen.alias("beside")
    meet = (seen.c.photo_id == beside.c.photo_id) & (seen.c.person_id < beside.c.person_id)
    pairs = connection.execute(select(seen.c.person_id, beside.c.person_id).join(beside, meet).distinct())
    asked = is_one_of(faces.c.photo_id, photos) | is_one_of(faces.c.face_id, some)
    those = select(faces.c.face_id, faces.c.photo_id, assignments.c.person_id).join(faces, placed).where(mine, asked)
    person_of = dict[FaceId, PersonId]()
    shown: dict[PhotoId, set[PersonId]] = {photo: set() for photo in photos}
    for row in connection.execute(those):
        person = person_of[FaceId(row.face_id)] = PersonId(row.person_id)
        if row.photo_id in shown:
            shown[PhotoId(row.photo_id)].add(person)
    met = frozenset(frozenset((PersonId(one), PersonId(other))) for one, other in pairs)
    return Census(sizes, met, person_of, {photo: frozenset(who) for photo, who in shown.items()})


def load_broken(connection: Connection, family: FamilyId, arm_id: int) -> frozenset[PersonId]:
    """The persons whose pseudo-labels broke in the arm's last run."""
    mine = runs.c.family_id == family, runs.c.arm_id == arm_id, runs.c.status == "done"
    last = select(runs.c.run_id).where(*mine).order_by(runs.c.month.desc(), runs.c.started_at.desc()).limit(1)
    broke = breakage.c.mixing | breakage.c.disappearance | breakage.c.splitting
    here = breakage.c.family_id == family, breakage.c.run_id == last.scalar_subquery(), broke
    return frozenset(PersonId(row.person_id) for row in connection.execute(select(breakage.c.person_id).where(*here)))


def load_unsure(connection: Connection, family: FamilyId) -> dict[UUID, int]:
    """The questions that a reviewer couldn't answer, with how many faces the persons asked about had then."""
    query = select(review_answers.c.question_id, review_answers.c.faces)
    here = review_answers.c.family_id == family, review_answers.c.answer == Answer.UNSURE
    return {row.question_id: row.faces for row in connection.execute(query.where(*here))}


def load_last_answer(connection: Connection, family: FamilyId, author: str) -> Answered | None:
    """What the author answered last and has not taken back."""
    mine = review_answers.c.family_id == family, review_answers.c.author == author
    query = select(*(review_answers.c[one.name] for one in fields(Answered))).where(*mine)
    row = connection.execute(query.order_by(review_answers.c.number.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    return Answered(**row._asdict() | {"answer": Answer(row.answer), "decisions": tuple(row.decisions)})


def save_answer(connection: Connection, family: FamilyId, answered: Answered) -> None:
    """Keep the answer in place of an earlier one to the same question."""
    last = select(func.coalesce(func.max(review_answers.c.number), 0)).where(review_answers.c.family_id == family)
    values = {one.name: getattr(answered, one.name) for one in fields(Answered) if one.name != "question_id"}
    values |= {"decisions": list(answered.decisions), "number": connection.execute(last).scalar_one() + 1}
    new = insert(review_answers).values(family_id=family, question_id=answered.question_id, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["family_id", "question_id"], set_=values))


def delete_answer(connection: Connection, family: FamilyId, question: UUID) -> None:
    """Forget the answer, so that the question is asked again."""
    here = review_answers.c.family_id == family, review_answers.c.question_id == question
    connection.execute(delete(review_answers).where(*here))


def save_progress(
    connection: Connection, family: FamilyId, progress: Progress, *, settles: float, now: datetime
) -> None:
    """Keep how far the family is, and how many faces the next answer settles."""
    values = asdict(progress) | {"settles": settles, "looked_at": now}
    new = insert(review_progress).values(family_id=family, **values)
    connection.execute(new.on_conflict_do_update(index_elements=["family_id"], set_=values))


def load_progress(
    connection: Connection, limit: int, *, after: tuple[float, UUID] | None = None
) -> Sequence[FamilyProgress]:
    """Families that have questions, those first whose next answer settles most; behind that one."""
    kept = review_progress.c
    query = select(review_progress, families.c.name).join(families).where(kept.answers > 0)
    if after is not None:
        query = query.where(tuple_(-kept.settles, kept.family_id) > tuple_(-after[0], after[1]))
    found = connection.execute(query.order_by(-kept.settles, kept.family_id).limit(limit))
    return [
        FamilyProgress(
            FamilyId(row.family_id),
            row.name,
            Progress(row.faces, row.settled, row.told, row.wrong, row.answers),
            row.settles,
            row.looked_at,
        )
        for row in found
    ]
