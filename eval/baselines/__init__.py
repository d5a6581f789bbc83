"""What other photo servers do, as functions on embeddings: the baselines that our arms are compared with.

Each takes unit vectors float32[n, d] in the order of upload and gives intp[n], a cluster's number or NOBODY.  They
follow the published rules, not the code, with the published thresholds as defaults; none of them knows constraints.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from eval.baselines.density import NOBODY, Labels, Vectors, dbscan, dbscan_with_radius, plain_hdbscan
from eval.baselines.graph import average_linkage, chinese_whispers, greedy

__all__ = ["BASELINES", "NOBODY", "Baseline", "Labels", "Vectors"]


@dataclass(frozen=True, slots=True)
class Baseline:
    """One rule; `distance` is its main threshold as published, a cosine distance."""

    rule: Callable[[Vectors, float], Labels]
    distance: float
    source: str


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "dbscan": Baseline(dbscan, 0.5, "Immich: DBSCAN, 3 faces at least"),
        "dbscan + radius": Baseline(
            dbscan_with_radius, 0.2048, "PhotoPrism: DBSCAN of 4, then within reach of a cluster"
        ),
        "greedy": Baseline(greedy, 0.24, "ente: the nearest earlier face decides"),
        "chinese whispers": Baseline(chinese_whispers, 0.4, "facerecognition, dlib: Chinese Whispers (Biemann 2006)"),
        "hdbscan": Baseline(plain_hdbscan, 0.0, "LibrePhotos, recognize: HDBSCAN from scratch (McInnes 2017)"),
        "average linkage": Baseline(average_linkage, 0.7, "Sokal and Michener 1958; no constraints"),
    }
)
