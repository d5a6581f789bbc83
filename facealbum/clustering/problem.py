"""What one clustering is asked: faces of one family, the persons known so far, and what users decided.

Everything is kept as given; the order of faces and nodes carries no meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from facealbum.domain.faces import Embedding
from facealbum.domain.ids import ChildId, FaceId, PersonId, PhotoId
from facealbum.errors import InvalidValueError


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One face as clustering sees it.

    quality: 0 to 1; yaw: degrees; size: height of the box in pixels; embedding: float32[512] of length 1.
    space: the name of the embedding's space, where the caller knows it.  age: estimated, years, where it is known.
    """

    face_id: FaceId
    photo_id: PhotoId
    taken_at: datetime
    quality: float
    yaw: float
    size: float
    embedding: Embedding
    space: str = ""
    age: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An already assigned face that stands for its person in this clustering."""

    observation: Observation
    person_id: PersonId


@dataclass(frozen=True, slots=True)
class Constraints:
    """What users and the tracks of videos have decided.

    A `must_link` pair ends together, and so outranks that two faces of one photo are two people (mirrors).
    A `cannot_link` pair never does; it outranks `must_link`.  A `rejected` face never joins that person.
    Pairs of one photo need not be listed.  Nodes are a part of a person's faces: a face that must not meet a
    face which is no node is to be listed as rejected by that face's person.
    """

    must_link: frozenset[tuple[FaceId, FaceId]] = frozenset()
    cannot_link: frozenset[tuple[FaceId, FaceId]] = frozenset()
    rejected: frozenset[tuple[FaceId, PersonId]] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class ClusteringProblem:
    """The input of one clustering of one family.

    faces: unassigned ones, new or still waiting.  nodes: faces of known persons.
    photos_of: for each person the photos that already show it, those of faces that are no nodes included: all photos
    that also hold a face, and of persons that share their child (see next) all that there are.
    child_of: the child that each of some persons is linked to; two of one child may be found to be one, so it is given
    only for persons that nobody has named or touched.
    provisional: for faces that have been shown with a person since their analysis, that person; it has no say here,
    but the plan tells what became of each.

    Raises InvalidValueError if a face is given twice, or the embeddings are of several spaces.
    """

    faces: tuple[Observation, ...]
    nodes: tuple[Node, ...] = ()
    constraints: Constraints = Constraints()
    photos_of: Mapping[PersonId, frozenset[PhotoId]] = field(default_factory=dict)
    child_of: Mapping[PersonId, ChildId] = field(default_factory=dict)
    provisional: Mapping[FaceId, PersonId] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen: set[FaceId] = set()
        spaces: set[str] = set()
        for face in chain(self.faces, (node.observation for node in self.nodes)):
            if face.face_id in seen:
                raise InvalidValueError(f"a face must be given once, as a face or as a node, got {face.face_id} twice")
            seen.add(face.face_id)
            spaces.add(face.space)
        if len(spaces) > 1:
            raise InvalidValueError(
                f"embeddings of different spaces can't be compared, got {sorted(spaces)}; analyse again, or carry over"
            )
