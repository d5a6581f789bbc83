"""Pseudo-labels that do not survive a clustering which is not told of them.

The faces and nodes of a month are clustered again without their persons; a person whose nodes then mix with
others, vanish or split was, or is about to be, wrong somewhere.  No labels are needed, so 1 minus the rate is a
ceiling on accuracy that can be followed from run to run and from model to model.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from facealbum.clustering.intervals import Rate
from facealbum.clustering.unpinned import NodeLabel
from facealbum.domain.bounds import check_bounds
from facealbum.domain.ids import PersonId

BOUNDS: Mapping[str, tuple[float, float]] = {
    "mixing_share": (0, 1),
    "clustered_share": (0, 1),
    "splitting_share": (0, 1),
    "min_nodes": (1, float("inf")),
}
"""The least and the most that each threshold may be."""


@dataclass(frozen=True, slots=True)
class BreakageThresholds:
    """What counts as broken; shares are of the cluster's nodes (mixing) or the label's (the others), 0 to 1.

    mixing_share: of nodes of one other label in the cluster that holds most of the label's.
    clustered_share: of the label's nodes that must be in any cluster.
    splitting_share: of the label's nodes that make a cluster one of its parts.
    min_nodes: nodes below which a part does not count, in all three.
    """

    mixing_share: float = 0.1
    clustered_share: float = 0.5
    splitting_share: float = 0.2
    min_nodes: int = 2

    def __post_init__(self) -> None:
        check_bounds(self, BOUNDS)


@dataclass(frozen=True, slots=True)
class LabelBreakage:
    """What became of one person's pseudo-label; `clusters` are the sizes of its parts, largest first."""

    person_id: PersonId
    nodes: int
    mixing: bool
    disappearance: bool
    splitting: bool
    clusters: tuple[int, ...]

    @property
    def broken(self) -> bool:
        """Whether it broke in any way."""
        return self.mixing or self.disappearance or self.splitting


@dataclass(frozen=True, slots=True)
class BreakageRates:
    """Labels that broke, of all labels; a label may break in more than one way."""

    mixing: Rate
    disappearance: Rate
    splitting: Rate
    any: Rate


_DEFAULT = BreakageThresholds()


def count_breakage(labels: Iterable[NodeLabel], thresholds: BreakageThresholds = _DEFAULT) -> tuple[LabelBreakage, ...]:
    """What became of each person, sorted by id."""
    parts: dict[PersonId, Counter[int | None]] = defaultdict(Counter)
    holds: dict[int | None, Counter[PersonId]] = defaultdict(Counter)
    for label in labels:
        parts[label.person_id][label.cluster] += 1
        holds[label.cluster][label.person_id] += 1
    return tuple(_judge(person, parts[person], holds, thresholds) for person in sorted(parts))


def breakage_rates(labels: Iterable[LabelBreakage]) -> BreakageRates:
    """The rates over labels, of one run or of many together."""
    judged = list(labels)
    return BreakageRates(
        mixing=Rate(sum(label.mixing for label in judged), len(judged)),
        disappearance=Rate(sum(label.disappearance for label in judged), len(judged)),
        splitting=Rate(sum(label.splitting for label in judged), len(judged)),
        any=Rate(sum(label.broken for label in judged), len(judged)),
    )


def _judge(
    person: PersonId,
    parts: Counter[int | None],
    holds: Mapping[int | None, Counter[PersonId]],
    thresholds: BreakageThresholds,
) -> LabelBreakage:
    nodes, least = parts.total(), thresholds.min_nodes
    clusters = {cluster: size for cluster, size in parts.items() if cluster is not None}
    sizes = tuple(sorted(clusters.values(), reverse=True))
    large = [size for size in sizes if size >= max(least, thresholds.splitting_share * nodes)]
    return LabelBreakage(
        person_id=person,
        nodes=nodes,
        mixing=any(_mixed(person, holds[main], thresholds) for main in clusters if clusters[main] == sizes[0]),
        disappearance=sum(sizes) < thresholds.clustered_share * nodes or max(sizes, default=0) < least,
        splitting=len(large) > 1,
        clusters=sizes,
    )


def _mixed(person: PersonId, inside: Counter[PersonId], thresholds: BreakageThresholds) -> bool:
    """Whether another label has a part in this cluster."""
    strangers = max((count for other, count in inside.items() if other != person), default=0)
    return strangers >= max(thresholds.min_nodes, thresholds.mixing_share * inside.total())
