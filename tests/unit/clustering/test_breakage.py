"""What counts as a pseudo-label that did not survive."""

from collections.abc import Sequence

import pytest

from facealbum.clustering import (
    ALGORITHMS,
    BreakageThresholds,
    ClusteringParameters,
    ClusteringProblem,
    LabelBreakage,
    NodeLabel,
    Rate,
    breakage_rates,
    cluster_unpinned,
    count_breakage,
)
from facealbum.errors import InvalidValueError
from tests.unit.clustering.family import face, face_id, nodes_of, person_id


def labels(**clusters: Sequence[int | None]) -> list[NodeLabel]:
    """Nodes of the persons p1, p2, ... by the clusters that they fell into."""
    found = []
    for name, places in clusters.items():
        found += [NodeLabel(face_id(0), person_id(int(name[1:])), cluster) for cluster in places]
    return found


def first(nodes: list[NodeLabel]) -> LabelBreakage:
    return count_breakage(nodes)[0]


def kinds(nodes: list[NodeLabel]) -> tuple[bool, bool, bool]:
    one = first(nodes)
    return one.mixing, one.disappearance, one.splitting


def test_a_label_that_stays_whole_is_not_broken() -> None:
    whole = first(labels(p1=[4, 4, 4, None]))
    assert whole == LabelBreakage(person_id(1), 4, False, False, False, (3,))
    assert not whole.broken


def test_two_strangers_that_are_a_tenth_of_the_main_cluster_mix() -> None:
    assert kinds(labels(p1=[1] * 18, p2=[1] * 2)) == (True, False, False)
    assert kinds(labels(p1=[1] * 19, p2=[1] * 2)) == (False, False, False)


def test_one_stranger_does_not_mix() -> None:
    assert kinds(labels(p1=[1, 1], p2=[1])) == (False, False, False)


def test_strangers_outside_of_the_main_cluster_do_not_mix() -> None:
    assert kinds(labels(p1=[1, 1, 1, 2], p2=[2, 2, 2])) == (False, False, False)


def test_of_two_equal_main_clusters_a_mixed_one_counts() -> None:
    assert kinds(labels(p1=[1, 1, 2, 2], p2=[2, 2]))[0]


def test_a_label_disappears_with_more_than_half_of_its_nodes() -> None:
    assert kinds(labels(p1=[1, 1, None, None])) == (False, False, False)
    assert kinds(labels(p1=[1, 1, None, None, None])) == (False, True, False)


def test_a_label_disappears_when_no_cluster_keeps_two_nodes() -> None:
    assert kinds(labels(p1=[1, 2, 3])) == (False, True, False)


def test_two_clusters_of_a_fifth_each_split() -> None:
    assert kinds(labels(p1=[1] * 8 + [2] * 2)) == (False, False, True)
    assert kinds(labels(p1=[1] * 9 + [2] * 2)) == (False, False, False)
    assert kinds(labels(p1=[1, 1, 1, 2])) == (False, False, False)


def test_rates_have_counts_and_intervals() -> None:
    rates = breakage_rates(count_breakage(labels(p1=[1, 2], p2=[3, 3], p3=[4, 4], p4=[5, 5])))
    assert (rates.disappearance, rates.any, rates.mixing) == (Rate(1, 4), Rate(1, 4), Rate(0, 4))
    assert rates.any.interval == pytest.approx((0.0456, 0.6994), abs=1e-4)


@pytest.mark.parametrize(
    ("rate", "interval"),
    [(Rate(0, 0), (0, 1)), (Rate(0, 10), (0, 0.2775)), (Rate(10, 10), (0.7225, 1)), (Rate(5, 10), (0.2366, 0.7634))],
)
def test_wilson_intervals_are_those_of_the_tables(rate: Rate, interval: tuple[float, float]) -> None:
    assert rate.interval == pytest.approx(interval, abs=1e-4)


def test_a_rate_of_nothing_has_no_value() -> None:
    assert Rate(0, 0).value is None
    assert Rate(1, 4).value == 0.25


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_the_unpinned_clustering_sees_through_wrong_labels(algorithm: str) -> None:
    alike = nodes_of(1, [face(n) for n in range(3)]) + nodes_of(2, [face(n) for n in range(3, 6)])
    mixed = nodes_of(3, [face(n, {n % 2 + 5: 0.8}) for n in range(6, 12)])
    problem = ClusteringProblem(faces=(face(20),), nodes=alike + mixed)
    found = count_breakage(cluster_unpinned(problem, ClusteringParameters(), algorithm=algorithm))
    assert [(one.mixing, one.splitting) for one in found] == [(True, False), (True, False), (False, True)]


@pytest.mark.parametrize("wrong", [{"mixing_share": 1.1}, {"clustered_share": -0.1}, {"min_nodes": 0}])
def test_thresholds_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidValueError, match="must be"):
        BreakageThresholds(**wrong)  # type: ignore[arg-type]
