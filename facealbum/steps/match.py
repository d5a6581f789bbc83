"""The provisional match: right after analysis, faces that clearly show a known person are shown with it.

Albums fill within seconds; the monthly run then confirms, moves or drops each match.  Matching again changes
nothing, and an upload whose analysis was cut short before this step is caught up by the next one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from facealbum.clustering import ClusteringParameters, ClusteringProblem, constrain_tracks
from facealbum.clustering.match import match_faces
from facealbum.corrections import outrank
from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.steps.arm_models import faces_of_arm, nodes_of_arm
from facealbum.steps.context import Context
from facealbum.steps.reading import arm_of_family
from facealbum.storage.database import Transaction
from facealbum.storage.decisions import load_demands
from facealbum.storage.matches import load_faces_of, load_fresh_uploads, save_matches
from facealbum.storage.matching import take_unmatched
from facealbum.storage.observations import (
    Arm,
    expect_whole_families,
    load_arm,
    load_links,
    load_photos_of,
    load_tracks,
)
from facealbum.storage.runs import lock_family
from facealbum.storage.serving import load_installed_arm, load_served_arm

_UPLOADS_AT_ONCE = 500
_LOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class MatchOutcome:
    """Faces that no run has looked at yet, and how many of them are shown with a person."""

    faces: int = 0
    matched: int = 0


def match_family(context: Context, family: FamilyId) -> MatchOutcome:
    """Match every face of the family that no run has looked at yet; of a family that is gone, none."""
    with context.database.begin() as transaction:
        lock_family(transaction, family)
        take_unmatched(transaction, family)
        return _match_fresh(context, transaction, family)


def match_unmatched(context: Context, family: FamilyId) -> MatchOutcome:
    """The same if faces came since the last match, else nothing.

    Raises FamilyBusyError if somebody decides about the family for long.
    """
    with context.database.begin() as transaction:
        lock_family(transaction, family, wait_seconds=_LOCK_SECONDS)
        return _match_fresh(context, transaction, family) if take_unmatched(transaction, family) else MatchOutcome()


def _match_fresh(context: Context, transaction: Transaction, family: FamilyId) -> MatchOutcome:
    """Under the arm that the family is shown, which is reported, and under the one that it may be put back on."""
    names = dict.fromkeys([load_served_arm(transaction, family), load_installed_arm(transaction)])
    outcomes = [_match_under(context, transaction, family, name) for name in names]
    return outcomes[0]


def _match_under(context: Context, transaction: Transaction, family: FamilyId, name: str) -> MatchOutcome:
    arm = load_arm(transaction, name)
    if arm is None:
        return MatchOutcome()
    arm = arm_of_family(transaction, context.settings, family, arm)
    uploads = load_fresh_uploads(transaction, family, arm)
    expect_whole_families(transaction)
    return _match(context, transaction, family, arm, uploads) if uploads else MatchOutcome()


def _match(
    context: Context, transaction: Transaction, family: FamilyId, arm: Arm, uploads: Sequence[PhotoId]
) -> MatchOutcome:
    parameters = ClusteringParameters.from_dict(arm.parameters["clustering"])
    nodes = nodes_of_arm(context, transaction, family, arm, parameters)
    a_node = {node.person_id: node.observation.face_id for node in nodes}
    tracks = constrain_tracks(load_tracks(transaction, family, arm), a_node)
    child_of = load_links(transaction, family, arm)
    faces = matched = 0
    for some in _parts(uploads):
        new = faces_of_arm(context, transaction, family, arm, faces=load_faces_of(transaction, family, arm, some))
        photo_of = {face.face_id: face.photo_id for face in new}
        photos_of = load_photos_of(transaction, family, arm, among=photo_of.values())
        told, _ = load_demands(transaction, family, arm.arm_id, faces=photo_of, node_of=a_node, photos_of=photos_of)
        problem = ClusteringProblem(
            faces=tuple(face for face in new if face.face_id not in told.withheld),
            nodes=nodes,
            constraints=outrank(told.constraints, tracks),
            photos_of=photos_of,
            child_of=child_of,
        )
        matches = match_faces(problem, parameters)
        save_matches(transaction, family, arm, of=list(photo_of), matches=matches, now=context.clock())
        faces, matched = faces + len(new), matched + len(matches)
    return MatchOutcome(faces, matched)


def _parts(uploads: Sequence[PhotoId]) -> Iterator[Sequence[PhotoId]]:
    for start in range(0, len(uploads), _UPLOADS_AT_ONCE):
        yield uploads[start : start + _UPLOADS_AT_ONCE]
