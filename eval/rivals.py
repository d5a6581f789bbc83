"""The baselines lived through month by month: the same faces, and our linking on what they put together.

A baseline's person is a cluster by the face that founded it, so that links persist as long as that face leads.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from eval.albums import Album, AlbumFace
from eval.baselines import NOBODY, Baseline, Labels, Vectors
from eval.months import Household, TrialArm
from facealbum.clustering import LabelBreakage
from facealbum.domain.ids import FaceId, PersonId, family_id, person_id, run_id
from facealbum.domain.months import Month
from facealbum.linking import plan_links

LivedMonth: TypeAlias = tuple[Month, Mapping[str, Household], list[LabelBreakage]]
"""What eval.months.live_through gives."""


class RivalHousehold(Household):
    """One family as a baseline has left it so far."""

    def settle(self, faces: Sequence[AlbumFace], labels: Labels) -> None:
        """Take over the labels of all faces so far."""
        ids = [face.observation.face_id for face in faces]
        run = run_id(family_id(self.name), "baseline", "", "")
        self.faces = dict(zip(ids, faces, strict=True))
        self.person_of = {
            ids[row]: person_id(run, ids[label]) for row, label in enumerate(labels.tolist()) if label != NOBODY
        }

    def link(self) -> None:
        """Link persons to children as a run of ours does."""
        links = plan_links(self.evidence(), self.children, self.arm.linking).links
        self.child_of = {link.person_id: link.child_id for link in links}


def live_with(album: Album, baseline: Baseline, distance: float) -> Iterator[LivedMonth]:
    """After each month of the album every family so far; nothing is known of breakage, as nobody is pinned."""
    arrivals, batches = _arrivals(album)
    labels = {name: baseline.rule(vectors, distance) for name, vectors in batches.items()}
    households: dict[str, RivalHousehold] = {}
    faces: dict[str, list[AlbumFace]] = defaultdict(list)
    for month in sorted(arrivals):
        for name, new in sorted(arrivals[month].items()):
            household = households.setdefault(name, RivalHousehold(name, TrialArm(), album.children.get(name, ())))
            faces[name] += new
            household.settle(faces[name], next(labels[name]))
            household.link()
        yield month, households, []


def group_finally(album: Album, baseline: Baseline, distance: float) -> dict[FaceId, PersonId]:
    """The persons that all months lead to."""
    arrivals, batches = _arrivals(album)
    found: dict[FaceId, PersonId] = {}
    for name, vectors in batches.items():
        household = RivalHousehold(name, TrialArm(), ())
        *_, labels = baseline.rule([np.concatenate(vectors)] if baseline.from_scratch else vectors, distance)
        household.settle([face for month in sorted(arrivals) for face in arrivals[month][name]], labels)
        found |= household.person_of
    return found


def _arrivals(album: Album) -> tuple[dict[Month, dict[str, list[AlbumFace]]], dict[str, list[Vectors]]]:
    """The album's faces by month and family, in the order of time; and each family's embeddings, month by month."""
    arrivals: dict[Month, dict[str, list[AlbumFace]]] = defaultdict(lambda: defaultdict(list))
    for face in sorted(album.faces, key=lambda face: (face.observation.taken_at, face.family, face.photo)):
        arrivals[Month.of(face.observation.taken_at)][face.family].append(face)
    batches: dict[str, list[Vectors]] = defaultdict(list)
    for month in sorted(arrivals):
        for name, faces in arrivals[month].items():
            batches[name].append(np.stack([face.observation.embedding for face in faces]))
    return arrivals, batches
