"""Listing the pairs that can matter finds what a table of all similarities finds."""

from dataclasses import replace

import numpy as np
import pytest

from facealbum.clustering import ClusteringParameters, ClusteringProblem, Constraints
from facealbum.clustering.items import Items, build_items
from facealbum.clustering.linkage import Agglomeration
from facealbum.clustering.vectors import ROUNDING, SCALE, exact, means, sum_by
from tests.unit.clustering.family import face_id, photo_id
from tests.unit.clustering.test_linkage import SIMILARITY, random_faces

COUNT = 300


def family(seed: int) -> Items:
    """Faces of babies and grown-ups, with photos in common and pairs that a user has kept apart or together."""
    rng = np.random.default_rng(seed)
    faces = [replace(one, age=float(rng.choice([0.5, 30.0]))) for one in random_faces(seed, COUNT)]
    pairs = rng.integers(COUNT, size=(8, 2)).tolist()
    decided = [(face_id(one), face_id(other)) for one, other in pairs if one != other]
    constraints = Constraints(must_link=frozenset(decided[:4]), cannot_link=frozenset(decided[4:]))
    return build_items(ClusteringProblem(tuple(faces), constraints=constraints), ClusteringParameters())


def groups(items: Items, *, max_table: int, similarity: float = SIMILARITY, regions: int = 1) -> list[int]:
    found = Agglomeration(items, max_table=max_table)
    found.merge(similarity, within=np.arange(items.count) % regions)
    found.merge(similarity)
    return found.group_of.tolist()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("similarity", [SIMILARITY, -1.0])
@pytest.mark.parametrize("regions", [1, 3])
def test_lists_and_the_table_give_the_same_groups(seed: int, similarity: float, regions: int) -> None:
    items = family(seed)
    table = groups(items, max_table=COUNT, similarity=similarity, regions=regions)
    assert len(set(table)) < items.count
    for most in (0, COUNT // 3):
        assert groups(items, max_table=most, similarity=similarity, regions=regions) == table


def test_lists_are_right_about_faces_that_are_all_alike() -> None:
    one, *others = random_faces(1, 60)
    faces = (one, *(replace(other, embedding=one.embedding) for other in others))
    items = build_items(ClusteringProblem(faces), ClusteringParameters())
    assert groups(items, max_table=0) == groups(items, max_table=COUNT)


def test_lists_are_right_about_faces_that_may_never_come_together() -> None:
    faces = tuple(replace(one, photo_id=photo_id(0)) for one in random_faces(2, 60))
    items = build_items(ClusteringProblem(faces), ClusteringParameters())
    assert groups(items, max_table=0, similarity=-1.0) == list(range(60))


def test_rounding_moves_a_similarity_by_less_than_is_allowed_for() -> None:
    rng = np.random.default_rng(4)
    counts = rng.integers(2, 40, 200)
    longest = SCALE / np.sqrt(512)
    sums = (rng.uniform(-longest, longest, (200, 512)) * counts[:, None]).astype(np.int32)
    rounded, exactly = means(sums, counts).astype(np.float64), sums / counts[:, None]
    assert np.abs(rounded @ rounded.T - exactly @ exactly.T).max() < ROUNDING
    assert 2 * 0.5 * np.sqrt(512) * 1.01 * SCALE < ROUNDING


def test_the_sums_of_groups_are_of_their_members() -> None:
    vectors, group = exact(random_faces(5, 30)), np.array([2, 0, 1, 2, 2] * 6)
    sums, counts = sum_by(group, vectors, groups=4)
    assert counts.tolist() == [6, 6, 18, 0]
    assert np.array_equal(sums, np.stack([vectors[group == one].sum(axis=0) for one in range(4)]))
