"""Which faces of a person stand for it in the next clustering."""

from collections.abc import Sequence
from itertools import pairwise

from facealbum.clustering.items import is_sound
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.problem import Observation


def select_nodes(observations: Sequence[Observation], parameters: ClusteringParameters) -> tuple[Observation, ...]:
    """At most `max_nodes` faces of one person, sorted by id: half the newest, half spread over its time.

    Of each stretch of time, each with as many faces, the best one is taken.  Sound faces go first; poor ones are
    taken only by a person that has no other.
    """
    sound = [face for face in observations if is_sound(face, parameters)]
    ordered = sorted(sound or observations, key=lambda face: (face.taken_at, face.face_id))
    if len(ordered) > parameters.max_nodes:
        spread = parameters.max_nodes // 2
        newest = len(ordered) - (parameters.max_nodes - spread)
        ends = [newest * part // spread for part in range(spread + 1)] if spread else []
        stretches = [ordered[start:end] for start, end in pairwise(ends)]
        ordered = [max(stretch, key=_goodness) for stretch in stretches if stretch] + ordered[newest:]
    return tuple(sorted(ordered, key=lambda face: face.face_id))


def _goodness(face: Observation) -> tuple[float, float, int]:
    return face.quality, face.size, face.face_id.int
