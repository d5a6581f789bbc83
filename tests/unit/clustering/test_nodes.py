"""Which faces stand for a person."""

from dataclasses import replace

import pytest

from facealbum.clustering import ClusteringParameters, Observation, select_family_nodes, select_nodes
from facealbum.clustering.nodes import CANDIDATES
from tests.unit.clustering.family import face, person_id, poor


def numbers(observations: tuple[Observation, ...]) -> list[int]:
    return [one.face_id.int for one in observations]


def test_few_faces_all_stand_for_their_person() -> None:
    assert numbers(select_nodes([face(2), face(1)], ClusteringParameters(max_nodes=2))) == [1, 2]


def test_half_are_the_newest_and_half_are_spread_over_time() -> None:
    faces = [face(number) for number in range(100)]
    faces[7] = replace(faces[7], quality=0.99)
    chosen = numbers(select_nodes(faces, ClusteringParameters(max_nodes=10)))
    assert chosen[-5:] == [95, 96, 97, 98, 99]
    assert [number // 19 for number in chosen[:5]] == [0, 1, 2, 3, 4]
    assert chosen[0] == 7


def test_only_the_newest_of_very_many_faces_are_looked_at() -> None:
    faces = [face(number) for number in range(CANDIDATES + 40)]
    faces[7] = replace(faces[7], quality=0.99)
    assert select_nodes(faces, ClusteringParameters()) == select_nodes(faces[40:], ClusteringParameters())


def test_the_order_of_the_faces_does_not_matter() -> None:
    faces = [face(number) for number in range(100)]
    parameters = ClusteringParameters(max_nodes=7)
    assert numbers(select_nodes(faces, parameters)) == numbers(select_nodes(faces[::-1], parameters))


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_there_are_never_more_than_the_limit(limit: int) -> None:
    faces = [face(number) for number in range(60)]
    assert len(select_nodes(faces, ClusteringParameters(max_nodes=limit))) == limit


def test_poor_faces_stand_for_a_person_only_where_there_is_no_other() -> None:
    parameters = ClusteringParameters()
    assert numbers(select_nodes([poor(face(1)), face(2)], parameters)) == [2]
    assert numbers(select_nodes([poor(face(1))], parameters)) == [1]


def test_nobody_needs_no_nodes() -> None:
    assert select_nodes([], ClusteringParameters()) == ()


def test_persons_with_few_faces_keep_them_where_a_family_has_too_many() -> None:
    faces = [face(number) for number in range(25)]
    of_person = {person_id(0): faces[:10], person_id(1): faces[10:20], person_id(2): faces[20:]}
    chosen = select_family_nodes(of_person, ClusteringParameters(max_nodes=8, max_family_nodes=18))
    assert [len(nodes) for nodes in chosen.values()] == [6, 6, 5]
    assert chosen[person_id(0)] == select_nodes(faces[:10], ClusteringParameters(max_nodes=6))


def test_everybody_keeps_three_nodes_and_never_more_than_is_allowed() -> None:
    of_person = {person_id(n): [face(10 * n + part) for part in range(10)] for n in range(4)}
    for limit in (2, 3, 50):
        chosen = select_family_nodes(of_person, ClusteringParameters(max_nodes=limit, max_family_nodes=1))
        assert {len(nodes) for nodes in chosen.values()} == {min(3, limit)}


def test_the_order_of_persons_does_not_matter() -> None:
    of_person = {person_id(n): [face(10 * n + part) for part in range(n + 1)] for n in range(9)}
    parameters = ClusteringParameters(max_family_nodes=30)
    backwards = dict(reversed(of_person.items()))
    assert select_family_nodes(backwards, parameters) == select_family_nodes(of_person, parameters)
