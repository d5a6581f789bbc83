"""The baselines do what their names say on faces that are easy to tell apart."""

from itertools import groupby

import numpy as np
import pytest
from numpy.typing import NDArray

from eval.baselines import BASELINES, NOBODY

PEOPLE, FACES = 4, 6
PARTS = slice(0, 4), slice(4, 6)


def easy_faces() -> NDArray[np.float32]:
    """Six faces each of four people, very near to each other."""
    draw = np.random.default_rng(5)
    centres = np.linalg.qr(draw.normal(size=(64, PEOPLE)))[0].T
    vectors = np.repeat(centres, FACES, axis=0) + draw.normal(0, 0.02, (PEOPLE * FACES, 64))
    return unit(vectors)


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def batches() -> list[NDArray[np.float32]]:
    """The same faces in two months: of each person four, then two."""
    by_person = easy_faces().reshape(PEOPLE, FACES, -1)
    return [by_person[:, part].reshape(-1, by_person.shape[-1]) for part in PARTS]


@pytest.mark.parametrize("name", BASELINES)
def test_people_who_are_easy_to_tell_apart_are_told_apart(name: str) -> None:
    baseline = BASELINES[name]
    (labels,) = (found.tolist() for found in baseline.rule([easy_faces()], baseline.distance))
    runs = [(label, len(list(run))) for label, run in groupby(labels)]
    assert [length for _, length in runs] == [FACES] * PEOPLE
    assert len({label for label, _ in runs} - {NOBODY}) == PEOPLE


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_few_faces_get_a_label_each(name: str, count: int) -> None:
    baseline = BASELINES[name]
    (labels,) = baseline.rule([easy_faces()[:count]], baseline.distance)
    assert labels.shape == (count,)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_repeats_itself(name: str) -> None:
    baseline = BASELINES[name]
    first, second = (list(baseline.rule(batches(), baseline.distance)) for _ in range(2))
    assert all(map(np.array_equal, first, second))


@pytest.mark.parametrize("name", BASELINES)
def test_people_who_come_again_are_known_again(name: str) -> None:
    baseline = BASELINES[name]
    *_, labels = baseline.rule(batches(), baseline.distance)
    people = np.concatenate([np.arange(PEOPLE).repeat(FACES).reshape(PEOPLE, FACES)[:, part].ravel() for part in PARTS])
    assert (
        len(set(labels.tolist()) - {NOBODY}) == len(set(zip(labels.tolist(), people.tolist(), strict=True))) == PEOPLE
    )


@pytest.mark.parametrize("name", [name for name, baseline in BASELINES.items() if not baseline.from_scratch])
def test_a_rule_that_goes_on_moves_no_face(name: str) -> None:
    baseline = BASELINES[name]
    draw = np.random.default_rng(11)
    months = [unit(draw.normal(size=(20, 4))) for _ in range(4)]
    before: NDArray[np.intp] = np.zeros(0, np.intp)
    for labels in baseline.rule(months, baseline.distance):
        placed = before != NOBODY
        assert np.array_equal(labels[: len(before)][placed], before[placed])
        assert len(labels) == len(before) + 20
        before = labels


def test_a_face_within_reach_of_a_dense_cluster_joins_it_only_by_the_radius_rule() -> None:
    faces = easy_faces()
    astray = unit(faces[:1] + 0.5 * faces[-1:])
    (joined,) = BASELINES["photoprism"].rule([np.vstack([faces, astray])], 0.05)
    assert joined[-1] == joined[0]
    (left,) = BASELINES["dbscan"].rule([np.vstack([faces, astray])], 0.05)
    assert left[-1] == NOBODY
