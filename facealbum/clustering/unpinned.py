"""The clustering that is told of no person, by which breakage is judged.

Note: fast path.  Most runs that a user's word brings about have the faces that the run before them had, under other
names.  All that this clustering reads has a digest; where a run before had the same, its clusters are these, and
nothing has to be compared.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering.explain import build_plan
from facealbum.clustering.incremental import group_items
from facealbum.clustering.items import Items, build_items, free_items
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.plan import ClusterPlan
from facealbum.clustering.problem import ClusteringProblem
from facealbum.domain.ids import FaceId, PersonId
from facealbum.errors import InvalidValueError

NOWHERE = -1

Clusters = NDArray[np.int32]
"""int32[n]: the cluster of every face and node, in the order of their ids; NOWHERE where it is in none."""


@dataclass(frozen=True, slots=True)
class NodeLabel:
    """A node, its person, and its cluster in the unpinned clustering; None where it is in none."""

    face_id: FaceId
    person_id: PersonId
    cluster: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Unpinned:
    """The clustering before it is made.  digest: of all that its clusters depend on; "" where no node can break."""

    digest: str
    _items: Items
    _persons: Mapping[FaceId, PersonId]
    _parameters: ClusteringParameters
    _algorithm: str

    def cluster(self) -> Clusters:
        """Make it."""
        if not self._persons:
            return np.zeros(0, np.int32)
        found = group_items(ClusteringProblem(()), self._items, self._parameters, algorithm=self._algorithm)
        cluster_of = found.cluster_of()
        return np.array([cluster_of.get(member.face_id, NOWHERE) for member in self._items.members], np.int32)

    def label(self, clusters: Clusters) -> tuple[NodeLabel, ...]:
        """The nodes with these clusters, sorted by id; raises InvalidValueError if they are those of other faces."""
        if not self._persons:  # nothing has a pseudo-label yet, so nothing can break
            return ()
        if len(clusters) != len(self._items.members):
            raise InvalidValueError(f"there must be a cluster for each of {len(self._items.members)} faces and nodes")
        return tuple(
            NodeLabel(member.face_id, self._persons[member.face_id], None if cluster == NOWHERE else cluster)
            for member, cluster in zip(self._items.members, clusters.tolist(), strict=True)
            if member.face_id in self._persons
        )


def cluster_unpinned(
    problem: ClusteringProblem, parameters: ClusteringParameters, *, algorithm: str = "constrained"
) -> tuple[NodeLabel, ...]:
    """Cluster faces and nodes as if no person were known; gives the nodes, sorted by id."""
    free = _prepare(problem, build_items(problem, parameters), parameters, algorithm=algorithm)
    return free.label(free.cluster())


def plan_beside_unpinned(
    problem: ClusteringProblem, parameters: ClusteringParameters, *, algorithm: str = "constrained"
) -> tuple[ClusterPlan, Unpinned]:
    """What `plan_clusters` gives, and what `cluster_unpinned` begins with, for less than both."""
    items = build_items(problem, parameters)
    plan = build_plan(problem, group_items(problem, items, parameters, algorithm=algorithm), parameters)
    return plan, _prepare(problem, items, parameters, algorithm=algorithm)


def _prepare(problem: ClusteringProblem, items: Items, parameters: ClusteringParameters, *, algorithm: str) -> Unpinned:
    """The clustering of the problem's faces and nodes as if no person were known; `items` are those of the problem."""
    persons = {node.observation.face_id: node.person_id for node in problem.nodes}
    if not persons:
        return Unpinned("", items, persons, parameters, algorithm)
    free = free_items(problem, items, parameters)
    return Unpinned(_digest(free, parameters, algorithm), free, persons, parameters, algorithm)


def _digest(items: Items, parameters: ClusteringParameters, algorithm: str) -> str:
    told = hashlib.blake2b(json.dumps([algorithm, parameters.to_dict()], sort_keys=True).encode(), digest_size=16)
    told.update(b"".join(member.face_id.bytes for member in items.members))
    for array in (items.vectors, items.ages, items.sound, items.item_of, items.meetings):
        told.update(array.tobytes())
    return told.hexdigest()
