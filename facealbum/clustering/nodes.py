"""Which faces of the known persons stand for them in the next clustering.

Guarantee: the order of faces does not matter.  All persons together have no more than `max_family_nodes` as long as
that leaves three for each, so a month costs the same in the tenth year as in the third.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Protocol, TypeVar

from facealbum.clustering.items import Graded, is_sound
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.domain.ids import FaceId, PersonId

CANDIDATES = 100
"""Of a person's faces so many are looked at, the newest: nodes from all its time lose a growing child."""
_FEW = 3  # so many of each person whatever it costs


class Sight(Graded, Protocol):
    """What must be known of a face to choose it; an Observation is one."""

    @property
    def face_id(self) -> FaceId: ...  # noqa: D102
    @property
    def taken_at(self) -> datetime: ...  # noqa: D102


_Sight = TypeVar("_Sight", bound=Sight)


def select_family_nodes(
    faces_of: Mapping[PersonId, Sequence[_Sight]], parameters: ClusteringParameters
) -> dict[PersonId, tuple[_Sight, ...]]:
    """The nodes of each person of a family.

    Nobody has more than the largest number, `max_nodes` at most and 3 at least, with which all together have no more
    than `max_family_nodes`; so whoever has few faces keeps them all.
    """
    numbers = [len(its) for its in faces_of.values()]
    fitting = (
        most
        for most in range(parameters.max_nodes, _FEW, -1)
        if sum(min(number, most) for number in numbers) <= parameters.max_family_nodes
    )
    most = next(fitting, min(_FEW, parameters.max_nodes))
    return {person: select_nodes(its, parameters, most=most) for person, its in faces_of.items()}


def select_nodes(
    faces: Sequence[_Sight], parameters: ClusteringParameters, *, most: int | None = None
) -> tuple[_Sight, ...]:
    """At most `most` or `max_nodes` faces of one person, sorted by id: half the newest, half spread over CANDIDATES.

    Of each stretch of time, each with as many faces, the best one is taken.  Sound faces go first; poor ones are
    taken only by a person that has no other.
    """
    most = most or parameters.max_nodes
    recent = sorted(faces, key=lambda face: (face.taken_at, face.face_id.int))[-CANDIDATES:]
    ordered = [face for face in recent if is_sound(face, parameters)] or recent
    if len(ordered) > most:
        spread = most // 2
        newest = len(ordered) - (most - spread)
        ends = [newest * part // spread for part in range(spread + 1)] if spread else []
        stretches = [ordered[start:end] for start, end in pairwise(ends)]
        ordered = [max(stretch, key=_goodness) for stretch in stretches if stretch] + ordered[newest:]
    return tuple(sorted(ordered, key=lambda face: face.face_id.int))


def _goodness(face: Sight) -> tuple[float, float, int]:
    return face.quality, face.size, face.face_id.int
