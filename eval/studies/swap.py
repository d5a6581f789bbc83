"""A change of the embedding space on albums with known truth: whether the gate refuses it bare, and passes a remedy.

The albums' persons are those that the old space gave.  Adapters are learnt on every other family and judged on the
rest, so nobody is judged by what was fitted to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eval.albums import Album
from eval.compat import CompatReport, FamilyFaces, Reading, compare, measure_family
from eval.months import Household, TrialArm, live_through
from eval.studies.change import light
from eval.studies.tables import table
from facealbum.clustering import ClusteringParameters
from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.ids import FaceId, family_id
from models.adapter_fit import Pairs, fit_linear, fit_orthogonal
from models.registry import load_embedders

Vectors = NDArray[np.float32]

BARE, AGAIN = "none", "reembedding"


@dataclass(frozen=True, slots=True)
class Swap:
    """From one space to another, with a remedy, judged on an album."""

    album: str
    report: CompatReport


def light_vectors(fused: Vectors) -> Vectors:
    """MobileFaceNet's vectors, of fused ones."""
    vectors = light(fused)
    padded = np.pad(vectors, ((0, 0), (0, EMBEDDING_SIZE - vectors.shape[1])))
    return _unit(padded)


def family_vectors(fused: Vectors) -> Vectors:
    """Those of the trained head, which is a linear map of the default space (docs/models.md)."""
    old, new = (load_embedders()[space].head for space in ("fused-512", "family-512"))
    assert old is not None and new is not None, "both packaged spaces have heads"  # noqa: S101, PT018
    change = np.linalg.lstsq(old.read().astype(np.float64), new.read().astype(np.float64))[0]
    return _unit(fused @ change)


def study_swap(name: str, album: Album, *, seed: int = 0) -> list[Swap]:
    """From the light space to the fused one, and from the fused one to the trained head's."""
    fused = np.stack([face.observation.embedding for face in album.faces])
    rows = {face.observation.face_id: row for row, face in enumerate(album.faces)}
    *_, (_, households, _) = live_through(album, TrialArm())
    first = {family for number, family in enumerate(sorted(households)) if number % 2 == 0}
    learnt = np.array([face.family in first for face in album.faces])
    judged = [household for family, household in sorted(households.items()) if family not in first]
    found = []
    for source, target, old, new, read in (
        ("light", "fused-512", light_vectors(fused), fused, Reading()),
        ("fused-512", "family-512", fused, family_vectors(fused), Reading(parameters=_family_parameters())),
    ):
        pairs = Pairs(old[learnt], new[learnt], np.zeros(int(learnt.sum()), np.int64))
        stored: Mapping[str, Vectors] = {
            BARE: old,
            "orthogonal adapter": fit_orthogonal(pairs).apply(old),
            "linear adapter": fit_linear(pairs).apply(old),
            AGAIN: new,
        }
        for remedy, known in stored.items():
            measures = [
                measure_family(_faces(household, rows, old, new, known), Reading(), read) for household in judged
            ]
            report = compare(measures, source=source, target=target, remedy=remedy, seed=seed)
            found.append(Swap(name, report))
    return found


def _family_parameters() -> ClusteringParameters:
    """One similarity for all ages, as the product reads that space."""
    one = load_embedders()["family-512"].similarity
    assert one is not None, "the manifest names it"  # noqa: S101
    return ClusteringParameters(
        similarity=one, poor_similarity=one, child_similarity=one, young_likeness=0, grown_likeness=0
    )


def _faces(
    household: Household, rows: Mapping[FaceId, int], old: Vectors, new: Vectors, stored: Vectors
) -> FamilyFaces:
    own = [rows[face] for face in household.faces]
    observations = tuple(
        replace(one.observation, embedding=old[row]) for one, row in zip(household.faces.values(), own, strict=True)
    )
    persons = tuple(household.person_of.get(face) for face in household.faces)
    return FamilyFaces(family_id(household.name), observations, persons, new[own], stored[own])


def render_swap(found: Sequence[Swap]) -> str:
    """A row an album, pair of spaces and remedy."""
    rows = []
    for one in found:
        report = one.report
        failed = [check.key for check in report.checks if not check.passed]
        hits = report.hit_rates["far_1"]
        rows.append(
            (
                one.album,
                f"{report.source} to {report.target}",
                report.remedy,
                f"{report.families} / {report.faces:,} / {report.persons}",
                f"{_value(hits['old'].value)} / {_value(hits['cross'].value)}",
                _value(report.centroids.value),
                f"{_value(report.broken['old']['any'].value)} / {_value(report.broken['mixed']['any'].value)}",
                "passed" if report.passed else f"refused: {', '.join(failed)}",
            )
        )
    heads = ("album", "swap", "remedy", "families / faces / persons", "TAR at FAR 1 %, old / across")
    return table((*heads, "own centroid nearest", "broken, old / mixed", "gate"), rows)


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _unit(vectors: NDArray[np.float64] | Vectors) -> Vectors:
    unit: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit
