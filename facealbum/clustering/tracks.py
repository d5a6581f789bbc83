"""What the tracks of videos demand of a clustering: one track is one person, two that meet are two people."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from facealbum.clustering.problem import Constraints
from facealbum.domain.ids import FaceId, PersonId, PhotoId


@dataclass(frozen=True, slots=True)
class TrackState:
    """One track as the albums have it.

    seen: the milliseconds of the frames that show it.  faces: those of its faces that belong to nobody yet.
    persons: whom its other faces belong to; more than one if a user says so.
    """

    video: PhotoId
    seen: frozenset[int]
    faces: tuple[FaceId, ...]
    persons: frozenset[PersonId]


def constrain_tracks(tracks: Iterable[TrackState], nodes: Mapping[PersonId, FaceId]) -> Constraints:
    """The constraints on faces without a person; `nodes` has a node of each person that has any.

    A face whose track has one person already is linked to it; a face whose track meets another one may not join the
    persons of that one.
    """
    must: set[tuple[FaceId, FaceId]] = set()
    cannot: set[tuple[FaceId, FaceId]] = set()
    rejected: set[tuple[FaceId, PersonId]] = set()
    of_video: dict[PhotoId, list[TrackState]] = defaultdict(list)
    for track in tracks:
        of_video[track.video].append(track)
        must.update(combinations(sorted(track.faces), 2))
        if track.faces and len(track.persons) == 1:
            must.update((min(track.faces), nodes[person]) for person in track.persons & nodes.keys())
    for one, other in (pair for company in of_video.values() for pair in _meetings(company)):
        cannot.update((min(pair), max(pair)) for pair in product(one.faces, other.faces))
        rejected.update(product(one.faces, other.persons))
        rejected.update(product(other.faces, one.persons))
    return Constraints(frozenset(must), frozenset(cannot), frozenset(rejected))


def _meetings(tracks: Sequence[TrackState]) -> Iterable[tuple[TrackState, TrackState]]:
    """The pairs of tracks of one video that a frame shows together."""
    return (pair for pair in combinations(tracks, 2) if not pair[0].seen.isdisjoint(pair[1].seen))
