"""The faces that stand for each known person in the next clustering.

Of a person's faces only the newest are looked at, and embeddings are read of no others than those that are chosen.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from facealbum.clustering import ClusteringParameters, Node, select_family_nodes
from facealbum.clustering.nodes import CANDIDATES
from facealbum.domain.ids import FaceId, FamilyId, PersonId
from facealbum.storage.observations import Arm, confirmed_by, load_observations, same_face
from facealbum.storage.schema import assignments, face_embeddings, faces
from facealbum.storage.told import PACKAGED_QUALITY

Rate = Callable[[Sequence[FaceId]], Mapping[FaceId, float]]
"""Tells the quality of each of these faces."""


class _Candidate(NamedTuple):
    """A face as far as it must be known to choose nodes."""

    face_id: FaceId
    taken_at: datetime
    quality: float
    yaw: float
    size: float


def load_nodes(
    connection: Connection,
    family: FamilyId,
    arm: Arm,
    parameters: ClusteringParameters,
    *,
    rate: Rate | None = None,
) -> tuple[Node, ...]:
    """These faces, chosen by the packaged quality, or by what `rate` tells."""
    candidates = _load_candidates(connection, family, arm)
    if rate is not None:
        better = rate([one.face_id for its in candidates.values() for one in its])
        candidates = {
            person: [one._replace(quality=better[one.face_id]) for one in its] for person, its in candidates.items()
        }
    chosen = select_family_nodes(candidates, parameters)
    person_of = {face.face_id: person for person, nodes in chosen.items() for face in nodes}
    observations = load_observations(connection, family, arm, person_of) if person_of else []
    return tuple(Node(observation, person_of[observation.face_id]) for observation in observations)


def _load_candidates(connection: Connection, family: FamilyId, arm: Arm) -> dict[PersonId, list[_Candidate]]:
    """The faces that may stand for each person."""
    newest = [faces.c.taken_at.desc(), faces.c.face_id.desc()]
    ranked = (
        select(
            assignments.c.person_id,
            faces.c.face_id,
            faces.c.taken_at,
            PACKAGED_QUALITY.label("quality"),
            faces.c.yaw,
            faces.c.box[2].label("top"),
            faces.c.box[4].label("bottom"),
            func.row_number().over(partition_by=assignments.c.person_id, order_by=newest).label("newest"),
        )
        .join(faces, confirmed_by(arm))
        .join(face_embeddings, same_face(face_embeddings.c))
        .where(assignments.c.family_id == family, ~faces.c.excluded, face_embeddings.c.space_id == arm.space_id)
        .subquery()
    )
    found: dict[PersonId, list[_Candidate]] = defaultdict(list)
    for person, face, taken_at, quality, yaw, top, bottom, _ in connection.execute(
        select(ranked).where(ranked.c.newest <= CANDIDATES)
    ):
        found[PersonId(person)].append(_Candidate(FaceId(face), taken_at, quality, yaw, bottom - top))
    return found
