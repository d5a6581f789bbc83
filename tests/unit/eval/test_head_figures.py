"""Heads are judged by people, families and pairs that they have not seen, beside the default space."""

from dataclasses import replace

import numpy as np
import pytest

from eval.cross_fit import learn_heads, unseen_similarities
from eval.head_data import HeadData
from eval.head_figures import judge_heads
from eval.head_groups import bcubed_f, best_similarities, families_of, group_by_default
from tests.unit.models.train.album import AGE, growing_families

EYE = np.eye(512, dtype=np.float32)


def data(*, families: int = 16) -> HeadData:
    """Families whose pictures are so noisy that age decides who resembles whom."""
    faces = growing_families(families=families)
    noise = 1.6 * np.random.default_rng(9).standard_normal(faces.embeddings.shape) / np.sqrt(512)
    noisy = (faces.embeddings + noise).astype(np.float32)
    faces = replace(faces, embeddings=noisy / np.linalg.norm(noisy, axis=1, keepdims=True))
    full = np.ones(len(faces), np.float32)
    ids = np.array([f"face {row}" for row in range(len(faces))])
    return HeadData(faces, ids, 0.9 * full, 0.8 * full, 0 * full, 100 * full)


def ageless() -> np.ndarray:
    """What a perfect head would do: it leaves out the number that follows age."""
    head = EYE.copy()
    head[AGE] = 0
    return head


def test_every_pair_is_scored_by_heads_that_saw_neither_side() -> None:
    made = data(families=8)
    fold = made.faces.families % 4
    learnt = {two: set(np.unique(fold[chosen])) for two, chosen in learn_heads(fold, lambda _two, some: some)}  # type: ignore[arg-type, return-value]
    assert len(learnt) == 6
    assert all(set(two).isdisjoint(folds) and len(folds) == 2 for two, folds in learnt.items())
    heads = {two: (1.0 + two[0] + 10 * two[1]) * EYE for two in learnt}  # length counts for nothing
    plain = made.faces.embeddings @ made.faces.embeddings.T
    np.testing.assert_allclose(unseen_similarities(made.faces.embeddings, fold, heads), plain, atol=1e-5)


def test_a_head_that_takes_age_out_is_better_and_one_that_changes_nothing_is_not() -> None:
    made = data()
    fold = made.faces.families % 4
    pairs = list(learn_heads(fold, lambda _two, _some: ageless()))
    similarity = best_similarities(made, fold, dict(pairs))
    figures, slices = judge_heads(made, fold, dict(pairs), similarity=similarity)
    assert figures["children_tar_far_1"].better
    assert figures["children_tar_far_1"].value > figures["children_tar_far_1"].baseline.value + 0.1
    assert figures["relatives_tar_far_1"].better
    assert figures["families_bcubed_f"].n == len(made)
    assert set(slices) >= {"age 0-2", "gender female", "quality good"}
    assert "quality poor" not in slices
    same, _ = judge_heads(made, fold, {two: EYE for two, _ in pairs}, similarity=similarity)
    assert same["children_tar_far_1"].difference.value == pytest.approx(0, abs=1e-6)
    assert same["children_tar_far_1"].better is None


def test_pairs_of_one_photo_count_for_nothing() -> None:
    made = data(families=8)
    heads = dict(learn_heads(made.faces.families % 4, lambda _two, _some: EYE))
    together = np.array(made.faces.photos)
    together[1] = together[0]  # two faces of one person
    moved = replace(made, faces=replace(made.faces, photos=together))
    figures, _ = judge_heads(moved, made.faces.families % 4, heads, similarity=dict.fromkeys(range(4), 0.2))
    assert figures["all_ages_tar_far_0.1"].n == 24 * 15 - 1


def test_bcubed_of_a_worked_example() -> None:
    sums = np.array([[2.0, 1.0, 2.0], [3.0, 3.0, 4.0]])  # precision 5/6, recall 4/6
    assert bcubed_f(sums) == pytest.approx(2 * (5 / 6) * (4 / 6) / (9 / 6))
    assert bcubed_f(sums, np.array([0, 2])) == pytest.approx(3 / 4)
    assert np.isnan(bcubed_f(sums[:0]))


def test_families_are_clustered_whole_and_alone() -> None:
    made = data(families=4)
    families = families_of(made)
    assert [len(rows) for rows in families] == [18] * 4
    found = group_by_default(made, families)
    assert found[:, 2].tolist() == [18.0] * 4
    assert (found[:, :2] <= 18 + 1e-9).all()
    np.testing.assert_array_equal(found[2:], group_by_default(made, families[2:]))
