"""The baselines do what their names say on faces that are easy to tell apart."""

from itertools import groupby

import numpy as np
import pytest
from numpy.typing import NDArray

from eval.baselines import BASELINES, NOBODY

PEOPLE, FACES = 4, 6


def easy_faces() -> NDArray[np.float32]:
    """Six faces each of four people, very near to each other."""
    draw = np.random.default_rng(5)
    centres = np.linalg.qr(draw.normal(size=(64, PEOPLE)))[0].T
    vectors = np.repeat(centres, FACES, axis=0) + draw.normal(0, 0.02, (PEOPLE * FACES, 64))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("name", BASELINES)
def test_people_who_are_easy_to_tell_apart_are_told_apart(name: str) -> None:
    baseline = BASELINES[name]
    labels = baseline.rule(easy_faces(), baseline.distance).tolist()
    runs = [(label, len(list(run))) for label, run in groupby(labels)]
    assert [length for _, length in runs] == [FACES] * PEOPLE
    assert len({label for label, _ in runs} - {NOBODY}) == PEOPLE


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_few_faces_get_a_label_each(name: str, count: int) -> None:
    baseline = BASELINES[name]
    assert baseline.rule(easy_faces()[:count], baseline.distance).shape == (count,)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_repeats_itself(name: str) -> None:
    baseline = BASELINES[name]
    first, second = (baseline.rule(easy_faces(), baseline.distance) for _ in range(2))
    assert np.array_equal(first, second)


def test_a_face_within_reach_of_a_dense_cluster_joins_it_only_by_the_radius_rule() -> None:
    faces = easy_faces()
    astray = faces[0] + 0.5 * faces[-1]
    vectors = np.vstack([faces, astray / np.linalg.norm(astray)]).astype(np.float32)
    joined = BASELINES["dbscan + radius"].rule(vectors, 0.05)
    assert joined[-1] == joined[0]
    assert BASELINES["dbscan"].rule(vectors, 0.05)[-1] == NOBODY
