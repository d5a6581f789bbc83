"""The gate on the worst slice: what it catches, what it lets pass, and when it says that it doesn't know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.fairness.gate import (
    Bounds,
    PairedSums,
    SliceChange,
    Verdict,
    compare_slices,
    judge_worst_slice,
    read_training,
)
from eval.metrics import estimate_ratio
from eval.metrics.definitions import Better
from eval.metrics.estimates import Array
from facealbum.errors import InvalidValueError


def draw(families: int, right: float, candidate: float, *, seed: int) -> Array:
    """Totals and cases of families, float64[families, 4]: ten faces each, right with these chances."""
    rng = np.random.default_rng(seed)
    present = rng.binomial(10, right, families)
    lost = rng.binomial(present, max(0.0, 1 - candidate / right))
    return np.stack([present, np.full(families, 10), present - lost, np.full(families, 10)], axis=1).astype(float)


def judge(*slices: Array, better: Better = Better.HIGHER) -> tuple[Verdict, str | None]:
    sums = {f"s{number}": PairedSums.of(one) for number, one in enumerate(slices)}
    found = judge_worst_slice(compare_slices(sums, better))
    return found.verdict, found.worst and found.worst.slice


def test_one_slice_that_gets_worse_fails_though_all_others_are_as_they_were() -> None:
    same = [draw(400, 0.9, 0.9, seed=seed) for seed in range(7)]
    assert judge(*same, draw(400, 0.9, 0.8, seed=7)) == (Verdict.FAIL, "s7")


def test_what_changes_nothing_in_many_families_passes() -> None:
    assert judge(*(draw(400, 0.9, 0.9, seed=seed) for seed in range(8)))[0] is Verdict.PASS


def test_nothing_is_known_of_no_data() -> None:
    assert judge() == (Verdict.UNKNOWN, None)
    assert judge(np.zeros((500, 4))) == (Verdict.UNKNOWN, None)


def test_few_families_never_pass() -> None:
    assert judge(draw(19, 0.9, 0.9, seed=1))[0] is Verdict.UNKNOWN
    assert judge(draw(30, 0.9, 0.9, seed=1))[0] is Verdict.UNKNOWN, "one in ten might get worse unseen"
    found = judge_worst_slice(compare_slices({"age:0-2": PairedSums.of(draw(5, 0.9, 0.9, seed=1))}, Better.HIGHER))
    assert found.few == ("age:0-2",)
    assert "age:0-2" in found.reason


def test_a_slice_that_vanishes_under_the_candidate_does_not_pass() -> None:
    gone = draw(400, 0.9, 0.9, seed=1)
    gone[:, 2:] = 0
    assert judge(draw(400, 0.9, 0.9, seed=2), gone) == (Verdict.UNKNOWN, "s1")


def test_a_small_worsening_is_allowed_and_a_larger_one_where_much_is_wrong_today() -> None:
    change = SliceChange("a", wrong=0.5, worse=0.04, low=0.03, high=0.049, families=100)
    assert judge_worst_slice([change]).verdict is Verdict.PASS
    assert judge_worst_slice([change], Bounds(relative=0)).verdict is Verdict.FAIL


@given(slices=st.integers(1, 6), seed=st.integers(0, 1000))
def test_a_metric_of_which_less_is_better_is_judged_as_its_complement(slices: int, seed: int) -> None:
    counts = [draw(60, 0.9, 0.85, seed=seed + number) for number in range(slices)]
    wrong = [np.stack([c[:, 1] - c[:, 0], c[:, 1], c[:, 3] - c[:, 2], c[:, 3]], axis=1) for c in counts]
    assert judge(*counts) == judge(*wrong, better=Better.LOWER)


@given(extra=st.integers(1, 30))
def test_more_slices_never_turn_a_verdict_of_fail_by_chance_into_a_surer_one(extra: int) -> None:
    change = SliceChange("a", wrong=0.1, worse=0.05, low=0.005, high=0.095, families=100)
    still = [SliceChange(f"b{number}", 0.1, 0.0, -0.01, 0.01, 100) for number in range(extra)]
    alone, among = judge_worst_slice([change]).verdict, judge_worst_slice([change, *still]).verdict
    assert alone is Verdict.FAIL
    assert among in {Verdict.FAIL, Verdict.UNKNOWN}


def test_the_difference_is_that_of_the_two_ratios() -> None:
    counts = draw(300, 0.9, 0.8, seed=3)
    (change,) = compare_slices({"a": PairedSums.of(counts)}, Better.HIGHER)
    before, after = estimate_ratio(counts[:, :2]), estimate_ratio(counts[:, 2:])
    assert before.value is not None
    assert after.value is not None
    assert change.worse == pytest.approx(before.value - after.value)
    assert change.wrong == pytest.approx(1 - before.value)
    assert change.low < change.worse < change.high


def test_a_metric_without_a_better_side_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="choose another"):
        compare_slices({}, Better.NEITHER)


def test_the_slices_of_a_training_are_judged_by_their_differences() -> None:
    def told(value: float, n: int = 200) -> dict[str, object]:
        ends = {"value": value, "low": value - 0.1, "high": value + 0.1}
        return {"age_error": {"n": n, "baseline": {"value": 3.0, "low": 2.5, "high": 3.5}, "difference": ends}}

    slices = {"age:0-2": told(0.9), "age:3-6": told(-1.0), "age:20+": told(2.0, n=3)}
    found = judge_worst_slice(read_training(slices, "age_error", Better.LOWER))
    assert (found.verdict, found.worst and found.worst.slice, found.few) == (Verdict.FAIL, "age:0-2", ("age:20+",))
    assert judge_worst_slice(read_training(slices, "age_error", Better.HIGHER)).worst == SliceChange(
        "age:3-6", -2.0, 1.0, 0.9, 1.1, 200
    )


def test_verdicts_are_told_as_json() -> None:
    told = judge_worst_slice([SliceChange("a", 0.1, 0.2, 0.1, 0.3, 50)]).to_dict()
    assert told["verdict"] == "fail"
    assert told["worst"]["slice"] == "a"
    assert judge_worst_slice([]).to_dict()["worst"] is None
