"""The distance is a metric between 0 and 1 that looks at shares alone; bins cover every value once."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from eval.drift.distance import js_distance
from eval.drift.distributions import DISTRIBUTIONS, NOBODY, Distribution, direction

Histogram = np.ndarray[tuple[int], np.dtype[np.int64]]
histograms = arrays(np.int64, 6, elements=st.integers(0, 10**6)).filter(lambda counts: counts.any())


def slow(first: Histogram, second: Histogram) -> float:
    """The definition, term by term."""
    p, q = first / first.sum(), second / second.sum()
    divergence = 0.0
    for one, two in zip(p, q, strict=True):
        middle = (one + two) / 2
        divergence += one / 2 * math.log2(one / middle) if one else 0
        divergence += two / 2 * math.log2(two / middle) if two else 0
    return math.sqrt(max(divergence, 0))


@given(histograms, histograms)
def test_it_is_the_definition_symmetric_and_between_0_and_1(first: Histogram, second: Histogram) -> None:
    found = float(js_distance(first, second))
    assert found == pytest.approx(slow(first, second), abs=1e-7)
    assert found == pytest.approx(float(js_distance(second, first)), abs=1e-12)
    assert 0 <= found <= 1


@given(histograms, st.integers(1, 50))
def test_it_is_0_for_equal_shares(counts: Histogram, factor: int) -> None:
    assert float(js_distance(counts, counts * factor)) == pytest.approx(0, abs=1e-7)


@given(histograms, histograms)
def test_it_is_0_for_equal_shares_only(first: Histogram, second: Histogram) -> None:
    assume(np.abs(first / first.sum() - second / second.sum()).max() > 1e-6)
    assert float(js_distance(first, second)) > 0


@given(histograms, histograms, histograms)
def test_no_way_round_is_shorter(first: Histogram, second: Histogram, third: Histogram) -> None:
    direct, one, two = (float(js_distance(*pair)) for pair in ((first, third), (first, second), (second, third)))
    assert direct <= one + two + 1e-7


def test_nothing_in_common_is_1_and_nothing_counted_has_no_distance() -> None:
    assert float(js_distance([3, 0], [0, 9])) == 1
    assert math.isnan(js_distance([0, 0], [0, 9]))
    assert js_distance([[1, 0], [1, 1]], [[1, 0], [0, 1]]).tolist() == pytest.approx([0, 0.5579230], abs=1e-6)


def test_a_normal_distribution_that_moves_a_little_moves_by_0_42_of_its_deviation() -> None:
    edges = np.linspace(-6, 6, 400)
    shares = [np.diff([0.5 * math.erfc(-(edge - mean) / math.sqrt(2)) for edge in edges]) for mean in (0, 0.1)]
    assert float(js_distance(*shares)) == pytest.approx(0.0425, abs=0.0002)


@pytest.mark.parametrize("one", DISTRIBUTIONS.values(), ids=lambda one: one.key)
def test_every_value_falls_into_one_bin_and_an_edge_into_the_upper_one(one: Distribution) -> None:
    assert list(one.edges) == sorted(set(one.edges))
    for number, edge in enumerate(one.edges):
        assert one.count(np.array([edge, np.nextafter(edge, -np.inf)])).nonzero()[0].tolist() == [number, number + 1]
    assert one.count(np.array([-1e9, 1e9])).tolist() == [1, *[0] * (one.bins - 2), 1]


def test_who_has_no_person_has_a_bin_of_its_own() -> None:
    similarity = DISTRIBUTIONS["similarity"]
    assert similarity.count(np.array([NOBODY, -1.0])).tolist()[:2] == [1, 1]


def test_directions_are_the_same_for_ever_and_do_not_repeat() -> None:
    assert direction(1)[:8].tolist() == [-1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0]
    gram = np.array([direction(number) for number in range(1, 9)]) @ direction(1) / 512
    assert gram[0] == 1
    assert np.abs(gram[1:]).max() < 0.15
