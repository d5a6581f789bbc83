"""What the match right after analysis gives before the month is run: how many faces, and how many the run confirms."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from eval.months import Household
from eval.truth import PersonOf
from facealbum.clustering import ClusteringParameters, ClusteringProblem, Node, Observation, select_nodes
from facealbum.clustering.intervals import Rate
from facealbum.clustering.match import Match, match_faces
from facealbum.domain.ids import FaceId, PersonId


@dataclass(frozen=True, slots=True)
class Foretold:
    """The faces of some months that met known persons: all, matched at once, and of these the confirmed ones.

    A match is confirmed if the run leaves the face with the person that it then has for the face's nearest node.
    """

    faces: int = 0
    matched: int = 0
    confirmed: int = 0

    @property
    def at_once(self) -> Rate:
        """Faces matched right after analysis."""
        return Rate(self.matched, self.faces)

    @property
    def kept(self) -> Rate:
        """Matches that the run confirmed."""
        return Rate(self.confirmed, self.matched)

    def __add__(self, other: "Foretold") -> "Foretold":
        return Foretold(self.faces + other.faces, self.matched + other.matched, self.confirmed + other.confirmed)


def foretell(
    household: Household,
    before: PersonOf,
    new: Collection[FaceId],
    *,
    parameters: ClusteringParameters,
    doubts: Sequence[float],
) -> Mapping[float, Foretold]:
    """For each doubt, how the `new` faces of a run were matched with the persons `before` it; `household` is after it.

    What a face is matched with does not depend on other photos, so all are asked at once.
    """
    problem = _problem(household, before, new, parameters)
    if not problem.nodes:
        return {}
    return {
        doubt: _count(problem, match_faces(problem, parameters, doubt=doubt), household.person_of) for doubt in doubts
    }


def _count(problem: ClusteringProblem, matches: Sequence[Match], after: PersonOf) -> Foretold:
    confirmed = sum(after.get(match.face_id) == after.get(match.nearest) for match in matches)
    return Foretold(len(problem.faces), len(matches), confirmed)


def _problem(
    household: Household, before: PersonOf, new: Collection[FaceId], parameters: ClusteringParameters
) -> ClusteringProblem:
    of_person: dict[PersonId, list[Observation]] = defaultdict(list)
    for face, known in household.faces.items():
        if face in before:
            of_person[before[face]].append(known.observation)
    return ClusteringProblem(
        faces=tuple(household.faces[face].observation for face in new),
        nodes=tuple(
            Node(node, person) for person, faces in of_person.items() for node in select_nodes(faces, parameters)
        ),
        photos_of={person: frozenset(face.photo_id for face in faces) for person, faces in of_person.items()},
    )
