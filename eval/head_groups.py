"""Families clustered from scratch under a head, as the product's own algorithm does it, and how right that is.

Faces of one photo stay apart.  A head's similarity (from which two groups are one person) is that which is best on
families of another fold, which the head has not seen either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeAlias
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from eval.cross_fit import Folds, Heads, mapped
from eval.head_data import HeadData
from facealbum.clustering import ClusteringParameters, ClusteringProblem, Observation, plan_clusters
from facealbum.domain.ids import FaceId, PhotoId

Sums: TypeAlias = NDArray[np.float64]
"""float64[3]: of a family's faces the sums of B-cubed precision and recall, and how many there are."""

Rows: TypeAlias = NDArray[np.int64]
"""int64[some]: the rows of one family's faces."""

SIMILARITIES = tuple(step / 100 for step in range(12, 33, 4))
_ALBUM = UUID("8f1d2c8e-6a55-5d0f-9a0e-0f6f7c4c5b11")
_ONE_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # what is learnt from has no dates, and clustering at one time asks none


def by_one_similarity(similarity: float) -> ClusteringParameters:
    """How a space is read in which only one similarity was measured (as facealbum.steps.arm_plans does)."""
    one = similarity
    return ClusteringParameters(
        similarity=one, poor_similarity=one, child_similarity=one, young_likeness=0.0, grown_likeness=0.0
    )


def families_of(data: HeadData) -> list[Rows]:
    """The rows of every family of two persons or more."""
    rows = [np.flatnonzero(data.faces.families == family) for family in np.unique(data.faces.families)]
    return [some for some in rows if len(np.unique(data.faces.persons[some])) > 1]


def group_by_default(data: HeadData, families: Sequence[Rows]) -> Sums:
    """float64[families, 3] in the default space, read as it is by default."""
    return np.array([_sums(data, rows, data.faces.embeddings[rows], ClusteringParameters()) for rows in families])


def group_by_heads(
    data: HeadData, families: Sequence[Rows], fold: Folds, *, heads: Heads, similarity: Mapping[int, float]
) -> Sums:
    """float64[families, 3], each family under a head that has not seen it and by its fold's similarity."""
    following = dict(_neighbours(fold))
    found = []
    for rows in families:
        own = int(fold[rows[0]])
        seen = mapped(data.faces.embeddings[rows], heads[_ordered(own, following[own])])
        found.append(_sums(data, rows, seen, by_one_similarity(similarity[own])))
    return np.array(found)


def best_similarities(data: HeadData, fold: Folds, heads: Heads) -> dict[int, float]:
    """For each fold the similarity that is best on the next one, under the head that has seen neither."""
    families = families_of(data)
    found = {}
    for own, following in _neighbours(fold):
        head = heads[_ordered(own, following)]
        others = [rows for rows in families if fold[rows[0]] == following]
        seen = [mapped(data.faces.embeddings[rows], head) for rows in others]
        scores = {}
        for one in SIMILARITIES:
            pairs = zip(others, seen, strict=True)
            scores[one] = bcubed_f(np.array([_sums(data, *pair, by_one_similarity(one)) for pair in pairs]))
        found[own] = max(SIMILARITIES, key=scores.__getitem__)
    return found


def bcubed_f(sums: Sums, weights: NDArray[np.int64] | None = None) -> float:
    """B-cubed F (Bagga and Baldwin 1998) over the faces of all families, NaN without any."""
    total = sums.sum(axis=0) if weights is None else weights @ sums
    if not len(sums) or not total[2]:
        return float("nan")
    precision, recall = total[:2] / total[2]
    return float(2 * precision * recall / (precision + recall))


def _sums(data: HeadData, rows: Rows, embeddings: NDArray[np.float32], parameters: ClusteringParameters) -> Sums:
    """One family's sums; faces that are left alone are a group each."""
    ids = [FaceId(uuid5(_ALBUM, str(row))) for row in rows]
    faces = tuple(
        Observation(
            one,
            PhotoId(uuid5(_ALBUM, f"photo {data.faces.photos[row]}")),
            _ONE_DAY,
            float(data.quality[row]),
            float(data.yaw[row]),
            float(data.height[row]),
            embedding,
            age=float(data.faces.ages[row]),
        )
        for one, row, embedding in zip(ids, rows, embeddings, strict=True)
    )
    plan = plan_clusters(ClusteringProblem(faces), replace(parameters, min_faces=2))
    group = {one: number for number, one in enumerate(ids)}
    for number, founded in enumerate(plan.create):
        group |= dict.fromkeys(founded.face_ids, -1 - number)
    label, person = np.array([group[one] for one in ids]), data.faces.persons[rows]
    together, same = label[:, None] == label, person[:, None] == person
    both = (together & same).sum(axis=1)
    return np.array([(both / together.sum(axis=1)).sum(), (both / same.sum(axis=1)).sum(), len(rows)])


def _neighbours(fold: Folds) -> list[tuple[int, int]]:
    """Each fold and the one after it, the first after the last."""
    folds = np.unique(fold).tolist()
    return list(pairwise([*folds, folds[0]]))


def _ordered(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)
