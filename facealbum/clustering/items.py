"""The things that a clustering puts together: persons with their nodes, and blocks of must-linked faces.

Everything is brought into the order of ids here, and the order of the input is forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering.ages import age_weights
from facealbum.clustering.blocks import Meeting, block_faces, list_meetings
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.problem import ClusteringProblem, Observation
from facealbum.clustering.vectors import Exact, exact
from facealbum.domain.ids import PersonId


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
    nodes = sorted((node.observation for node in problem.nodes), key=_by_id)
    faces = sorted(problem.faces, key=_by_id)
    persons = tuple(sorted({node.person_id for node in problem.nodes}))
    items = {person: item for item, person in enumerate(persons)}
    block = block_faces(problem, [face.face_id for face in faces], items=items)
    members = (*nodes, *faces)
    apart = list_meetings(problem, block, items=items)
    meetings = sorted((item, number) for number, meeting in enumerate(apart) for item in meeting.items)
    item_of = np.array([block[member.face_id] for member in members], np.intp)
    return Items(
        members=members,
        nodes=len(nodes),
        vectors=exact(members),
        ages=age_weights(members, parameters),
        item_of=item_of,
        sound=_sound(members, item_of, persons=len(persons), parameters=parameters),
        persons=persons,
        count=len(set(block.values())),
        meetings=np.array(meetings, np.intp).reshape(-1, 2),
        apart=apart,
    )


def is_sound(face: Observation, parameters: ClusteringParameters) -> bool:
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


def _by_id(face: Observation) -> bytes:
    return face.face_id.bytes
