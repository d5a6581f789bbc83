"""The monthly job in memory: an album's families lived through month by month, without a database.

It plans as facealbum.steps.cluster does and keeps what a plan says, so that arms can be compared on the same faces in
seconds; tests hold it to what the database gives.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from eval.albums import Album, AlbumFace
from facealbum.clustering import (
    ClusteringParameters,
    ClusteringProblem,
    ClusterPlan,
    LabelBreakage,
    Node,
    Observation,
    cluster_unpinned,
    count_breakage,
    plan_clusters,
    select_family_nodes,
)
from facealbum.domain.ids import ChildId, FaceId, PersonId, PhotoId, family_id, person_id, run_id
from facealbum.domain.months import Month
from facealbum.domain.people import Child
from facealbum.linking import FaceEvidence, LinkParameters, PersonEvidence, plan_links
from models.calibration import load_calibrations


@dataclass(frozen=True, slots=True)
class TrialArm:
    """What is compared: an algorithm with its parameters."""

    algorithm: str = "constrained"
    clustering: ClusteringParameters = field(default_factory=ClusteringParameters)
    linking: LinkParameters = field(
        default_factory=lambda: LinkParameters.measured(load_calibrations()["age_gender"].numbers)
    )


@dataclass(slots=True)
class Household:
    """One family as the runs so far have left it; `plan` is what the last of them decided."""

    name: str
    arm: TrialArm
    children: Sequence[Child]
    faces: dict[FaceId, AlbumFace] = field(default_factory=dict)
    person_of: dict[FaceId, PersonId] = field(default_factory=dict)
    child_of: dict[PersonId, ChildId] = field(default_factory=dict)
    plan: ClusterPlan = field(default_factory=ClusterPlan)

    def live(self, month: Month, faces: Sequence[AlbumFace]) -> tuple[LabelBreakage, ...]:
        """One run on the month's faces; gives what became of the pseudo-labels in the unpinned clustering."""
        self.faces |= {face.observation.face_id: face for face in faces}
        problem = self._problem()
        plan = self.plan = plan_clusters(problem, self.arm.clustering, algorithm=self.arm.algorithm)
        labels = cluster_unpinned(problem, self.arm.clustering, algorithm=self.arm.algorithm)
        moved = {move.source: move.target for move in plan.move}
        self.person_of = {face: moved.get(person, person) for face, person in self.person_of.items()}
        self.person_of |= {one.face_id: one.person_id for one in plan.attach}
        run = run_id(family_id(self.name), "trial", str(month), "")
        for group in plan.create:
            self.person_of |= dict.fromkeys(group.face_ids, person_id(run, group.founder))
        links = plan_links(self.evidence(), self.children, self.arm.linking).links
        self.child_of = {link.person_id: link.child_id for link in links}
        return count_breakage(labels)

    def child(self, face: FaceId) -> str:
        """The name of the child that this face shows, or nothing."""
        linked = self.child_of.get(self.person_of[face]) if face in self.person_of else None
        return next((child.name for child in self.children if child.child_id == linked), "")

    def _problem(self) -> ClusteringProblem:
        of_person = self._by_person()
        return ClusteringProblem(
            faces=tuple(face.observation for key, face in self.faces.items() if key not in self.person_of),
            nodes=tuple(
                Node(node, person)
                for person, nodes in select_family_nodes(of_person, self.arm.clustering).items()
                for node in nodes
            ),
            photos_of=_photos(of_person),
            child_of=self.child_of,
        )

    def evidence(self) -> list[PersonEvidence]:
        """What the faces of each person say of its age and gender, and whom it meets."""
        photos = _photos(self._by_person())
        shows: dict[PhotoId, set[PersonId]] = defaultdict(set)
        for person, of_person in photos.items():
            for photo in of_person:
                shows[photo].add(person)
        evidence: dict[PersonId, list[FaceEvidence]] = defaultdict(list)
        for key, person in self.person_of.items():
            face, seen = self.faces[key].face, self.faces[key].observation
            evidence[person].append(FaceEvidence(seen.taken_at, face.age, face.p_female, face.quality))
        return [
            PersonEvidence(
                person,
                tuple(faces),
                meets=frozenset().union(*(shows[photo] for photo in photos[person])) - {person},
                linked=self.child_of.get(person),
            )
            for person, faces in sorted(evidence.items())
        ]

    def _by_person(self) -> dict[PersonId, list[Observation]]:
        found: dict[PersonId, list[Observation]] = defaultdict(list)
        for key, person in self.person_of.items():
            found[person].append(self.faces[key].observation)
        return found


def live_through(album: Album, arm: TrialArm) -> Iterator[tuple[Month, Mapping[str, Household], list[LabelBreakage]]]:
    """After each month of the album: every family so far, and what broke in this month's runs."""
    arrivals: dict[Month, dict[str, list[AlbumFace]]] = defaultdict(lambda: defaultdict(list))
    for face in album.faces:
        arrivals[Month.of(face.observation.taken_at)][face.family].append(face)
    households: dict[str, Household] = {}
    for month in sorted(arrivals):
        broken: list[LabelBreakage] = []
        for name, faces in sorted(arrivals[month].items()):
            household = households.setdefault(name, Household(name, arm, album.children.get(name, ())))
            broken += household.live(month, faces)
        yield month, households, broken


def _photos(of_person: Mapping[PersonId, Sequence[Observation]]) -> dict[PersonId, frozenset[PhotoId]]:
    return {person: frozenset(face.photo_id for face in faces) for person, faces in of_person.items()}
