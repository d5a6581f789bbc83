"""Why each face of a photo is where it is, in words, from the plans on record."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan

from facealbum.clustering import ClusterPlan, describe_faces
from facealbum.domain.ids import FaceId, FamilyId
from facealbum.domain.sentences import Number, Sentence, join_sentences
from facealbum.errors import InvalidValueError, UnknownFaceError
from facealbum.steps.context import Context
from facealbum.storage.database import Transaction
from facealbum.storage.explanations import (
    PlacedFace,
    load_last_runs,
    load_names,
    load_placed_face,
    load_placed_faces,
    load_plan,
)
from facealbum.storage.families import load_families, load_family
from facealbum.storage.observations import Arm, load_arm
from facealbum.storage.serving import load_served_arm

_NO_RUN = Sentence("no monthly run has looked at it yet")
_BY_USER = Sentence("a user said so")
_NO_FACE = Sentence("a user said that this is no face")
_TAKEN_AWAY = Sentence("a user's word has taken it away since, and it waits for the next run")
_FOUND_ANEW = Sentence("a run said so of the face that was found here before the photo was analysed again")


@dataclass(frozen=True, slots=True)
class FaceExplanation:
    """One face: its box in pixels, whom it is shown with, and why; `provisional` until a monthly run decides."""

    face_id: FaceId
    box: tuple[float, float, float, float]
    person: str | None
    provisional: bool
    why: Sentence


def explain_photo(context: Context, photo: str, *, family: str) -> list[FaceExplanation]:
    """Every face of the photo with this key, from left to right.

    Raises UnknownFamilyError, and InvalidValueError if no face was found in such a photo.
    """
    with context.database.begin() as transaction:
        identity = load_families(transaction, family)[0].family_id
        arm = load_arm(transaction, load_served_arm(transaction, identity))
        faces = load_placed_faces(transaction, identity, arm, photo) if arm else []
        if arm is None or not faces:
            raise InvalidValueError(
                f"expected a photo of family {family!r} with faces, got {photo!r}; its name is the column `photo` of"
                " what `facealbum export faces` writes, and it must be analysed"
            )
        return [explain_placed(transaction, identity, arm, face) for face in faces]


def explain_face(context: Context, family: FamilyId, face: FaceId) -> FaceExplanation:
    """Why the face is where it is; raises UnknownFamilyError, UnknownFaceError, and InvalidValueError before a run."""
    with context.database.begin() as transaction:
        load_family(transaction, family)
        arm = load_arm(transaction, load_served_arm(transaction, family))
        placed = load_placed_face(transaction, family, arm.arm_id if arm else None, face)
        if placed is None:
            raise UnknownFaceError(f"the family has no face of the id {face}; its photo may have been deleted")
        if arm is None:
            raise InvalidValueError("nothing was clustered yet, so nothing can be explained; run `facealbum cluster`")
        return explain_placed(transaction, family, arm, placed)


def explain_placed(transaction: Transaction, family: FamilyId, arm: Arm, face: PlacedFace) -> FaceExplanation:
    """Why the face is where it is under this arm."""
    box, person = face.box, face.person_id
    plan = _last_word(transaction, family, arm, face)
    names = load_names(transaction, family, plan.mentioned() | ({person} if person else set()))
    unsaid = _NO_RUN if face.state != "confirmed" else _BY_USER if face.run_id is None else _FOUND_ANEW
    why = _NO_FACE if face.excluded else describe_faces(plan, names).get(face.face_id, unsaid)
    return FaceExplanation(
        face_id=face.face_id,
        box=(box.x1, box.y1, box.x2, box.y2),
        person=names.get(person, str(person)) if person else None,
        provisional=face.state == "provisional",
        why=join_sentences([why, *_taken_away(face, plan), *_told(face)]),
    )


def _taken_away(face: PlacedFace, plan: ClusterPlan) -> Iterator[Sentence]:
    """What came after a run that gave a face that is nobody's to somebody."""
    if face.person_id is None and not face.excluded and (plan.attach or plan.create):
        yield _TAKEN_AWAY


def _told(face: PlacedFace) -> Iterator[Sentence]:
    """What users said of the face's age and gender."""
    if face.told_age is not None:
        if isnan(face.told_age):
            yield Sentence("a user said that it is not of the age that the models say")
        else:
            digits = 0 if face.told_age.is_integer() else 1
            yield Sentence("a user said that it is %(age)s years old", age=Number(face.told_age, digits))
    if face.told_p_female is not None:
        if isnan(face.told_p_female):
            yield Sentence("a user said that it is not of the gender that the models say")
        elif face.told_p_female:
            yield Sentence("a user said that it is female")
        else:
            yield Sentence("a user said that it is male")


def _last_word(transaction: Transaction, family: FamilyId, arm: Arm, face: PlacedFace) -> ClusterPlan:
    """What the run that placed the face said of it, or of a waiting face the last run that saw it."""
    if face.person_id is not None:
        runs = [face.run_id] if face.run_id else []
    else:
        runs = load_last_runs(transaction, family, arm)
    said = (plan.about(face.face_id) for run in runs if (plan := load_plan(transaction, family, run)))
    return next((plan for plan in said if plan != ClusterPlan()), ClusterPlan())
