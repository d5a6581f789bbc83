"""The fits find what made-up data were made from, and judge nobody by numbers that were fitted to it."""

import numpy as np
import pytest

from eval.calibrate import (
    FOLDS,
    Array,
    equal_shares,
    fit_error,
    fit_least_absolute,
    fit_logistic,
    folds,
    out_of_fold,
)

RNG = np.random.default_rng(4)
TERMS = np.column_stack([np.ones(4000), RNG.normal(size=4000)])
ONES = np.ones(4000)


def test_least_absolute_errors_ignore_a_few_wrong_labels() -> None:
    target = TERMS @ [1.0, 2.0]
    target[:200] += 50
    assert fit_least_absolute(TERMS, target, ONES) == pytest.approx([1, 2], abs=0.01)


def test_logistic_regression_finds_the_odds() -> None:
    female = (RNG.random(4000) < 1 / (1 + np.exp(-(TERMS @ [-0.5, 1.5])))).astype(float)
    assert fit_logistic(TERMS, female, ONES) == pytest.approx([-0.5, 1.5], abs=0.2)


def test_the_error_of_an_age_is_found_by_true_age() -> None:
    completed = RNG.integers(0, 60, 1500).astype(float)
    true = completed + RNG.random(1500)
    estimated = true + 0.1 * true + (1 + 0.1 * true) * RNG.standard_t(4, 1500)
    error = fit_error(estimated, completed, ONES[:1500])
    ages = np.array(error["ages"])
    assert np.array(error["bias"]) == pytest.approx(0.1 * ages, abs=1.5)
    assert np.array(error["spread"]) == pytest.approx(1 + 0.1 * ages, rel=0.35)
    assert 2.5 < error["freedom"][0] < 8


def test_every_group_counts_the_same() -> None:
    weights = equal_shares(["a"] * 3 + ["b"])
    assert weights == pytest.approx([2 / 3] * 3 + [2])


def test_a_subject_is_in_one_fold_and_not_judged_by_itself() -> None:
    subjects = [f"s{number // 3}" for number in range(60)]
    fold = folds(subjects)
    assert {len(set(fold[number : number + 3])) for number in range(0, 60, 3)} == {1}
    assert set(fold) == set(range(FOLDS))
    seen: list[set[float]] = []

    def remember(_terms: Array, target: Array, _weights: Array) -> Array:
        seen.append(set(target.tolist()))
        return np.zeros(1)

    out_of_fold(remember, (np.ones((60, 1)), np.arange(60.0), np.ones(60)), fold)
    assert all(not targets & set(np.flatnonzero(fold == number)) for number, targets in enumerate(seen))
