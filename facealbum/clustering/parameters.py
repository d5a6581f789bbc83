"""The thresholds of a clustering; stored with every run, and belonging to one embedding space."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

from facealbum.domain.bounds import check_bounds
from facealbum.domain.faces import STRONGLY_TURNED
from facealbum.errors import InvalidValueError

_POSITIVE = (1, float("inf"))
BOUNDS: Mapping[str, tuple[float, float]] = {
    "similarity": (-1, 1),
    "poor_similarity": (-1, 1),
    "child_similarity": (-1, 1),
    "young_likeness": (0, 1),
    "young_until": (1, 100),
    "grown_likeness": (0, 1),
    "min_faces": (2, float("inf")),
    "min_quality": (0, 1),
    "min_size": (0, float("inf")),
    "max_yaw": (0, 180),
    "max_nodes": _POSITIVE,
    "max_family_nodes": _POSITIVE,
    "density_min_cluster": (2, float("inf")),
    "density_min_samples": _POSITIVE,
}
"""The least and the most that each may be."""


@dataclass(frozen=True, slots=True)
class ClusteringParameters:
    """How near is near enough, and which faces may found a group.

    similarity: mean cosine similarity from which two groups, or a group and a person, are one.
    poor_similarity: the same for a poor face, which joins a group but never founds or bridges one.
    child_similarity: the same for two persons that are linked to the same child.
    young_likeness, grown_likeness: what two newborn faces, or two of grown-ups, need beyond these, as strangers of
    such ages resemble each other more (facealbum.clustering.ages).  young_until: years of age up to which a little
    of the former is asked.
    min_faces: sound faces that a new person needs.
    min_quality (0 to 1), min_size (pixels of box height), max_yaw (degrees to either side): a face beyond any
    of them is poor.
    max_nodes: faces that stand for one person in the next clustering.  max_family_nodes: for all of a family's persons
    together, as long as that leaves three for each.
    density_min_cluster, density_min_samples: of the `hdbscan` algorithm's density clustering.
    """

    similarity: float = 0.26
    poor_similarity: float = 0.26
    child_similarity: float = 0.15
    young_likeness: float = 0.3
    young_until: float = 12.0
    grown_likeness: float = 0.08
    min_faces: int = 2
    min_quality: float = 0.4
    min_size: float = 24.0
    max_yaw: float = STRONGLY_TURNED
    max_nodes: int = 50
    max_family_nodes: int = 2000
    density_min_cluster: int = 2
    density_min_samples: int = 1

    def __post_init__(self) -> None:
        check_bounds(self, BOUNDS)

    def to_dict(self) -> dict[str, float | int]:
        """As plain numbers, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, float | int]) -> Self:
        """Read what `to_dict` gave; a missing name keeps its default, an unknown one is refused."""
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise InvalidValueError(f"clustering parameters must be among {sorted(BOUNDS)}, got {unknown}")
        return cls(**values)  # type: ignore[arg-type]
