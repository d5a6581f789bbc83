"""One month of one family: which persons the new and the waiting faces join, which become persons, which wait.

Guarantee: nodes move only with their whole person, to another one of its child; constraints hold; the order of input
does not matter; and planning again after the plan was carried out (all its faces being nodes) proposes nothing new.
For the last, a person needs one sound node, and a must-linked pair must not contradict another decision.
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering.algorithms import algorithm_named
from facealbum.clustering.explain import Grouping, build_plan
from facealbum.clustering.items import Items, build_items
from facealbum.clustering.linkage import NOBODY, Agglomeration
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.plan import ClusterPlan
from facealbum.clustering.problem import ClusteringProblem
from facealbum.clustering.vectors import UNIT, means, sum_by


def plan_clusters(
    problem: ClusteringProblem, parameters: ClusteringParameters, *, algorithm: str = "constrained"
) -> ClusterPlan:
    """The plan of one clustering; `algorithm` is a name in ALGORITHMS."""
    found = group_problem(problem, parameters, algorithm=algorithm)
    return build_plan(problem, found, parameters)


def group_problem(problem: ClusteringProblem, parameters: ClusteringParameters, *, algorithm: str) -> Grouping:
    """Put faces and persons together."""
    return group_items(problem, build_items(problem, parameters), parameters, algorithm=algorithm)


def group_items(
    problem: ClusteringProblem, items: Items, parameters: ClusteringParameters, *, algorithm: str
) -> Grouping:
    """The same, of items that were built before."""
    groups = algorithm_named(algorithm)(items, parameters)
    groups.merge(parameters.child_similarity, within=_by_child(problem, items, groups))
    stands = groups.counts >= parameters.min_faces
    stands[groups.group_of[: len(items.persons)]] = True
    _place_poor(items, groups, similarity=parameters.poor_similarity, open_to_poor=stands)
    return Grouping(items, groups, stands)


def _by_child(problem: ClusteringProblem, items: Items, groups: Agglomeration) -> NDArray[np.intp]:
    """For each item a number that it shares with the items of groups with persons of the same child."""
    numbers = {child: number for number, child in enumerate(sorted(set(problem.child_of.values())))}
    shared = len(numbers) + groups.group_of
    for item, person in enumerate(items.persons):
        if person in problem.child_of:
            shared[groups.group_of == groups.group_of[item]] = numbers[problem.child_of[person]]
    return shared


def _place_poor(items: Items, groups: Agglomeration, *, similarity: float, open_to_poor: NDArray[np.bool_]) -> None:
    """Give each poor item, most similar first, to the nearest group that is open and has not met it."""
    poor, choices = np.flatnonzero(groups.group_of == NOBODY), np.flatnonzero(open_to_poor)
    place = np.full(items.count, -1)
    place[poor] = np.arange(len(poor))
    row = place[items.item_of]
    sums, counts = sum_by(row[row >= 0], items.vectors[row >= 0], groups=len(poor))
    ages = means(sum_by(row[row >= 0], items.ages[row >= 0], groups=len(poor))[0], counts)
    similar = means(sums, counts) @ groups.means[choices].T - ages @ groups.ages[choices].T
    rows, columns = np.nonzero(similar >= similarity * UNIT)
    meetings: dict[int, set[int]] = defaultdict(set)
    seen: dict[int, set[int]] = defaultdict(set)
    for item, meeting in items.meetings.tolist():
        meetings[item].add(meeting)
        seen[int(groups.group_of[item])].add(meeting)
    for pick in np.lexsort((columns, rows, -similar[rows, columns])).tolist():
        item, group = int(poor[rows[pick]]), int(choices[columns[pick]])
        if groups.group_of[item] == NOBODY and not meetings[item] & seen[group]:
            groups.group_of[item] = group
            seen[group] |= meetings[item]
