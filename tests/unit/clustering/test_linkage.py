"""Merging mutual neighbours gives what merging one pair after the other gives."""

import tracemalloc
from itertools import combinations
from uuid import UUID

import numpy as np
import pytest

from facealbum.clustering.incremental import plan_clusters
from facealbum.clustering.items import build_items
from facealbum.clustering.linkage import Agglomeration
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.problem import ClusteringProblem, Observation
from facealbum.clustering.vectors import exact
from facealbum.domain.ids import FaceId, PhotoId
from tests.unit.clustering.family import START

SIMILARITY = 0.35


def random_faces(seed: int, count: int = 40) -> tuple[Observation, ...]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(6, 24))
    rows = centres[rng.integers(6, size=count)] + rng.normal(size=(count, 24))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    photos = rng.integers(count // 2, size=count)
    return tuple(
        Observation(FaceId(UUID(int=n)), PhotoId(UUID(int=int(photo))), START, 1.0, 0.0, 100.0, row)
        for n, (row, photo) in enumerate(zip(rows.astype(np.float32), photos, strict=True))
    )


def one_by_one(faces: tuple[Observation, ...]) -> set[frozenset[int]]:
    """The slow oracle: merge the most similar pair that may be merged, until none is similar enough."""
    vectors = np.stack([one.embedding for one in faces]).astype(np.float64)
    similar = vectors @ vectors.T
    groups = {frozenset({n}) for n in range(len(faces))}

    def photos(group: frozenset[int]) -> set[PhotoId]:
        return {faces[n].photo_id for n in group}

    while True:
        pairs = [
            (similar[np.ix_(sorted(a), sorted(b))].mean(), a, b)
            for a, b in combinations(sorted(groups, key=min), 2)
            if not photos(a) & photos(b)
        ]
        best, a, b = max(pairs, key=lambda pair: pair[0])
        if best < SIMILARITY:
            return groups
        groups = groups - {a, b} | {a | b}


@pytest.mark.parametrize("seed", range(12))
def test_mutual_neighbours_merge_as_one_pair_after_the_other(seed: int) -> None:
    faces = random_faces(seed)
    groups = Agglomeration(build_items(ClusteringProblem(faces), ClusteringParameters()))
    groups.merge(SIMILARITY)
    found = {frozenset(np.flatnonzero(groups.group_of == g).tolist()) for g in range(len(groups.counts))}
    assert found == one_by_one(faces)


def test_regions_are_not_left() -> None:
    faces = random_faces(3)
    region = np.arange(len(faces)) % 3
    groups = Agglomeration(build_items(ClusteringProblem(faces), ClusteringParameters()))
    groups.merge(-1.0, within=region)
    assert len(groups.counts) < len(faces)
    for group in range(len(groups.counts)):
        assert len(set(region[groups.group_of == group].tolist())) == 1


def test_products_of_exact_vectors_are_exact() -> None:
    vectors = exact(random_faces(5, 200))
    assert np.array_equal(vectors @ vectors.T, vectors.astype(np.int64) @ vectors.astype(np.int64).T)
    assert (vectors.astype(np.float64) @ vectors.T.astype(np.float64)).max() < 2**24


def test_five_thousand_faces_fit_into_bounded_memory() -> None:
    faces = random_faces(7, 5000)
    tracemalloc.start()
    try:
        plan = plan_clusters(ClusteringProblem(faces), ClusteringParameters(), algorithm="constrained")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(len(group.face_ids) for group in plan.create) + len(plan.leave) == 5000
    assert peak < 300 * 2**20
