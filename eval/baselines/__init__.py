"""What other photo servers do, as functions on embeddings: the baselines that our arms are compared with.

A rule takes the faces as they arrive, a batch a month (unit vectors float32[n, d]), and gives after each batch the
labels intp[faces so far] of all of them, a cluster's number or NOBODY.  Rules from scratch look at all faces again
each time, as their products do; the others never move a face.  They follow the published rules, not the code, with
the published thresholds as defaults; none of them knows constraints.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from eval.baselines.density import NOBODY, Labels, Vectors, dbscan, plain_hdbscan
from eval.baselines.graph import average_linkage, chinese_whispers
from eval.baselines.incremental import ente, immich, photoprism, recognize

__all__ = ["BASELINES", "NOBODY", "Baseline", "Labels", "Rule", "Vectors"]

Rule: TypeAlias = Callable[[Sequence[Vectors], float], Iterator[Labels]]


@dataclass(frozen=True, slots=True)
class Baseline:
    """One rule; `distance` is its main threshold as published, a cosine distance."""

    rule: Rule
    distance: float
    source: str
    from_scratch: bool


def _afresh(cluster: Callable[[Vectors, float], Labels]) -> Rule:
    """The rule that clusters everything again after each batch; a cluster is numbered by its first face."""

    def rule(batches: Sequence[Vectors], distance: float) -> Iterator[Labels]:
        for number in range(1, len(batches) + 1):
            labels = cluster(np.concatenate(batches[:number]), distance)
            _, first, place = np.unique(labels, return_index=True, return_inverse=True)
            yield np.where(labels == NOBODY, NOBODY, first[place])

    return rule


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "immich": Baseline(immich, 0.5, "Immich: persons grow face by face, 3 near faces found one", False),
        "photoprism": Baseline(photoprism, 0.2048, "PhotoPrism: DBSCAN of 4, then within reach of a cluster", False),
        "ente": Baseline(ente, 0.24, "ente: the nearest earlier face decides", False),
        "recognize": Baseline(recognize, 0.5, "recognize: HDBSCAN of new and sampled faces, which vote", False),
        "chinese whispers": Baseline(
            _afresh(chinese_whispers), 0.4, "facerecognition, dlib: Chinese Whispers (Biemann 2006)", True
        ),
        "hdbscan": Baseline(_afresh(plain_hdbscan), 0.0, "LibrePhotos: HDBSCAN (McInnes 2017)", True),
        "dbscan": Baseline(_afresh(dbscan), 0.5, "DBSCAN of 3 (Ester 1996)", True),
        "average linkage": Baseline(_afresh(average_linkage), 0.7, "Sokal and Michener 1958; no constraints", True),
    }
)
