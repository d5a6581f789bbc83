"""What somebody who corrects may want to do next: split a person in two, or make one of two persons.

Nothing is written.  Both are by the arm that the family is shown, in the space that it is read in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from facealbum.clustering import ClusteringParameters, Constraints, Observation, halve, rank_persons
from facealbum.corrections import ArmWords
from facealbum.domain.ids import FaceId, FamilyId, PersonId
from facealbum.errors import UnknownPersonError
from facealbum.steps.arm_models import faces_of_arm, nodes_of_arm
from facealbum.steps.context import Context
from facealbum.steps.reading import arm_of_family
from facealbum.storage.database import Transaction
from facealbum.storage.decisions import load_words
from facealbum.storage.families import load_family
from facealbum.storage.observations import Arm, load_arm, load_links, load_person_faces, load_photos_of
from facealbum.storage.serving import load_served_arm
from facealbum.storage.shown_persons import ShownPerson, load_person_record, load_shown_person

MOST_FACES = 2000
"""So many of a person's faces are looked at, the newest."""


class Why(StrEnum):
    """Why two persons are not one already."""

    MET = "together_in_a_photo"
    SAID = "said_to_be_different"
    CHILDREN = "linked_to_different_children"
    UNLIKE = "not_similar_enough"
    KNOWN = "runs_keep_known_persons_apart"


@dataclass(frozen=True, slots=True)
class SplitSuggestion:
    """Which faces stay and which leave; none leave where users said that all are one, or there is one alone.

    similarity: of the two sides; asked: what a run asks of two groups to be one.
    """

    person_id: PersonId
    stays: tuple[FaceId, ...]
    leaves: tuple[FaceId, ...]
    similarity: float | None
    asked: float


@dataclass(frozen=True, slots=True)
class SimilarPerson:
    """Somebody who may be the same; similarity: mean of their faces', less what their ages ask; asked: as above."""

    person: ShownPerson
    similarity: float
    asked: float
    why: tuple[Why, ...]


def suggest_split(context: Context, family: FamilyId, person: PersonId) -> SplitSuggestion:
    """How the person would fall into two; raises UnknownFamilyError, UnknownPersonError."""
    with context.database.begin() as transaction:
        arm, parameters = _arm_of(context, transaction, family, person)
        newest = load_person_faces(transaction, family, arm, person, most=MOST_FACES)
        faces = faces_of_arm(context, transaction, family, arm, faces=newest)
        words = load_words(transaction, family, arm.arm_id)
    found = halve(faces, parameters, constraints=_said_of(words, person, faces))
    if found is None:
        return SplitSuggestion(person, tuple(one.face_id for one in faces), (), None, parameters.similarity)
    return SplitSuggestion(person, found.stays, found.leaves, found.similarity, parameters.similarity)


def similar_persons(context: Context, family: FamilyId, person: PersonId, *, limit: int) -> list[SimilarPerson]:
    """Those who resemble the person most; raises UnknownFamilyError, UnknownPersonError."""
    with context.database.begin() as transaction:
        arm, parameters = _arm_of(context, transaction, family, person)
        nodes = nodes_of_arm(context, transaction, family, arm, parameters)
        ranked = rank_persons(nodes, person, parameters)[:limit]
        mine = load_photos_of(transaction, family, arm, among=(), whole={person}).get(person, frozenset())
        met = load_photos_of(transaction, family, arm, among=mine).keys()
        words, child_of = load_words(transaction, family, arm.arm_id), load_links(transaction, family, arm)
        found = []
        for other, similarity in ranked:
            why = [Why.MET] if other in met else []
            why += [Why.SAID] if (other, False) in words.ledger.said_of(person) else []
            apart = {child_of.get(person), child_of.get(other)} - {None}
            why += [Why.CHILDREN] if len(apart) > 1 else []
            why += [Why.UNLIKE] if similarity < parameters.similarity else []
            shown = load_shown_person(transaction, family, arm.arm_id, other)
            if shown is not None:
                found.append(SimilarPerson(shown, similarity, parameters.similarity, tuple(why or [Why.KNOWN])))
    return found


def _arm_of(
    context: Context, transaction: Transaction, family: FamilyId, person: PersonId
) -> tuple[Arm, ClusteringParameters]:
    """The arm that the family is shown, of which the person must be one."""
    load_family(transaction, family)
    arm = load_arm(transaction, load_served_arm(transaction, family))
    found = load_person_record(transaction, family, person)
    if arm is None or found is None or found.arm_id != arm.arm_id:
        raise UnknownPersonError(f"the family is shown no person {person}")
    if found.merged_into is not None:
        raise UnknownPersonError(f"person {person} was merged into {found.merged_into}; ask about that one")
    arm = arm_of_family(transaction, context.settings, family, arm)
    return arm, ClusteringParameters.from_dict(arm.parameters["clustering"])


def _said_of(words: ArmWords, person: PersonId, faces: Sequence[Observation]) -> Constraints:
    """What users said of these faces of the person; those they confirmed for it are one."""
    here = {one.face_id for one in faces}
    ledger = words.ledger
    sure = [face for face in ledger.faces_of(person, same=True) if face in here]
    together = {pair for face in here for pair in pairwise(ledger.together(face))}
    apart = {(face, other) for face in here for other in ledger.apart(face)}
    return Constraints(frozenset({*together, *pairwise(sure)}), frozenset(apart))
