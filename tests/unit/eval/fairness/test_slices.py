"""How slices stand beside all families."""

import numpy as np

from eval.fairness.slices import SliceStanding, Standing, judge_slices
from eval.metrics.estimates import Array, Sums, sum_pairs


def sums(families: int, right: float, *, cases: int = 10, seed: int = 0) -> Sums:
    total = np.random.default_rng(seed).binomial(cases, right, families)
    pairs: Array = np.stack([total, np.full(families, cases)], axis=1).astype(float)
    return sum_pairs(pairs, np.ones(families, np.int64))


def stand(values: dict[tuple[str, str], Sums]) -> dict[str, Standing]:
    return {one.slice: one.standing for one in judge_slices(values)}


def test_a_slice_is_worse_on_the_side_that_the_metric_does_not_want() -> None:
    for metric, expected in (("coverage", Standing.WORSE), ("breakage", Standing.BETTER)):
        found = stand(
            {
                (metric, ""): sums(500, 0.9),
                (metric, "age:0-2"): sums(200, 0.7),
                (metric, "age:3-6"): sums(200, 0.9, seed=1),
            }
        )
        assert (found["age:0-2"], found["age:3-6"]) == (expected, Standing.ALIKE)


def test_nothing_is_said_of_a_slice_of_too_few_families_or_cases() -> None:
    few = {("coverage", "a:few"): sums(19, 0.1), ("coverage", "a:small"): sums(30, 0.1, cases=3)}
    found = stand({("coverage", ""): sums(500, 0.9)} | few)
    assert found["a:few"] is found["a:small"] is Standing.FEW


def test_intervals_of_many_slices_are_wider_than_that_of_one() -> None:
    whole, one = sums(500, 0.9), sums(100, 0.88, seed=2)

    def width(slices: int) -> float:
        found: list[SliceStanding] = judge_slices(
            {("coverage", ""): whole} | {("coverage", f"a:{n}"): one for n in range(slices)}
        )
        return found[-1].estimate.high - found[-1].estimate.low

    assert width(1) < width(5) < width(20)


def test_of_slices_that_are_alike_hardly_ever_any_is_called_worse() -> None:
    said = 0
    for seed in range(60):
        slices = {("coverage", f"a:{n}"): sums(60, 0.85, seed=1000 * seed + n) for n in range(15)}
        whole = {("coverage", ""): sums(3000, 0.85, seed=seed)}
        said += any(one.standing in {Standing.WORSE, Standing.BETTER} for one in judge_slices(whole | slices))
    assert said <= 7, "5 % of 60 are 3; more than 7 come once in a hundred times"


def test_models_and_what_is_neither_good_nor_bad_are_left_out() -> None:
    found = judge_slices({("coverage", "model:a@1"): sums(50, 0.5), ("cluster_size", ""): sums(50, 0.5)})
    assert found == []
