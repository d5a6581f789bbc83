"""The things that a clustering puts together: persons with their nodes, and blocks of must-linked faces.

Everything is brought into the order of ids here, and the order of the input is forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering.ages import age_weights
from facealbum.clustering.blocks import Meeting, block_faces, list_meetings
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.problem import ClusteringProblem, Constraints, Observation
from facealbum.clustering.vectors import Exact, exact
from facealbum.domain.ids import PersonId

_BY_ID = attrgetter("face_id.int")  # as UUIDs compare, but without a call to each


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """The input of one clustering as arrays; persons are the first items, blocks of faces follow.

    members: nodes, then faces, each sorted by id; vectors, ages (as of age_weights), item_of (intp) and sound (bool)
    have one row a member.
    nodes: how many members are nodes.  persons: the person of each of the first items.  count: of all items.
    meetings: intp[m, 2] of (item, meeting); two items with a meeting in common never come together.
    apart: the meetings by number.
    """

    members: tuple[Observation, ...]
    nodes: int
    vectors: Exact
    ages: Exact
    item_of: NDArray[np.intp]
    sound: NDArray[np.bool_]
    persons: tuple[PersonId, ...]
    count: int
    meetings: NDArray[np.intp]
    apart: tuple[Meeting, ...]


def build_items(problem: ClusteringProblem, parameters: ClusteringParameters) -> Items:
    """The items of a problem in canonical order."""
    nodes = sorted((node.observation for node in problem.nodes), key=_BY_ID)
    members = (*nodes, *sorted(problem.faces, key=_BY_ID))
    return _arrange(problem, members, exact(members), age_weights(members, parameters), parameters=parameters)


def free_items(problem: ClusteringProblem, items: Items, parameters: ClusteringParameters) -> Items:
    """The same members as items that know of no person: nodes are faces like any other."""
    order = sorted(range(len(items.members)), key=lambda row: items.members[row].face_id.int)
    members = tuple(items.members[row] for row in order)
    constraints = Constraints(problem.constraints.must_link, problem.constraints.cannot_link)
    free = ClusteringProblem(members, constraints=constraints)
    return _arrange(free, members, items.vectors[order], items.ages[order], parameters=parameters)


def _arrange(
    problem: ClusteringProblem,
    members: tuple[Observation, ...],
    vectors: Exact,
    ages: Exact,
    *,
    parameters: ClusteringParameters,
) -> Items:
    """The items of members in canonical order."""
    nodes = len(problem.nodes)
    persons = tuple(sorted({node.person_id for node in problem.nodes}))
    items = {person: item for item, person in enumerate(persons)}
    block = block_faces(problem, [face.face_id for face in members[nodes:]], items=items)
    apart = list_meetings(problem, block, items=items)
    meetings = sorted((item, number) for number, meeting in enumerate(apart) for item in meeting.items)
    item_of = np.array([block[member.face_id] for member in members], np.intp)
    return Items(
        members=members,
        nodes=nodes,
        vectors=vectors,
        ages=ages,
        item_of=item_of,
        sound=_sound(members, item_of, persons=len(persons), parameters=parameters),
        persons=persons,
        count=len(set(block.values())),
        meetings=np.array(meetings, np.intp).reshape(-1, 2),
        apart=apart,
    )


class Graded(Protocol):
    """What tells how good a face is; see Observation."""

    @property
    def quality(self) -> float: ...  # noqa: D102
    @property
    def yaw(self) -> float: ...  # noqa: D102
    @property
    def size(self) -> float: ...  # noqa: D102


def is_sound(face: Graded, parameters: ClusteringParameters) -> bool:
    """Whether a face is good enough to found and to bridge groups."""
    return (
        face.quality >= parameters.min_quality
        and face.size >= parameters.min_size
        and abs(face.yaw) <= parameters.max_yaw
    )


def _sound(
    members: Sequence[Observation],
    item_of: NDArray[np.intp],
    *,
    persons: int,
    parameters: ClusteringParameters,
) -> NDArray[np.bool_]:
    """Per member; the faces of a person that has poor ones only must do, so they count as sound."""
    sound = np.array([is_sound(member, parameters) for member in members], np.bool_)
    poor_person = (item_of < persons) & ~np.isin(item_of, item_of[sound])
    return sound | poor_person
