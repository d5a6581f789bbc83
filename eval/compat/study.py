"""The three adapters between the packaged spaces, on albums with known truth, judged by families not learnt from.

    python -m eval.compat.study ALBUMS --cache FOLDER [--album fiw growth stream]

Single networks are read off the default space, which keeps all that they say.  Half of the families teach, the other
half judges; the persons are the true ones.  It takes about two minutes and the extra `train`.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid5

import numpy as np

from eval.albums import AlbumFace, load_album
from eval.compat.faces import FamilyFaces, Reading, Vectors
from eval.compat.measures import measure_family
from eval.compat.report import CompatReport, compare
from eval.metrics import Estimate
from eval.truth import load_members
from eval.verification import spaces
from facealbum.clustering import ClusteringParameters
from facealbum.domain.ids import PersonId, family_id
from models.adapter import KINDS
from models.adapter_fit import Pairs, fit_adapter
from models.registry import load_embedders

_PAIRS = (
    ("SFace", "MobileFaceNet"),
    ("SFace", "fused-512"),
    ("MobileFaceNet", "fused-512"),
    ("fused-512", "family-512"),
)
_PEOPLE = UUID("b2d5cbf0-5d1e-5c07-9d80-3f8e4c0a7d51")


def faces_of(albums: Path, names: Sequence[str], cache: Path) -> dict[str, list[tuple[AlbumFace, str]]]:
    """Every family's faces with their true members; families of two albums are two."""
    found: dict[str, list[tuple[AlbumFace, str]]] = defaultdict(list)
    for name in names:
        album = load_album(albums / "visible" / name, cache)
        members = load_members(album)
        for one in album.faces:
            if one.observation.face_id in members:
                found[f"{name}/{one.family}"].append((one, members[one.observation.face_id]))
    return dict(sorted(found.items()))


def compared(
    families: dict[str, list[tuple[AlbumFace, str]]], source: str, target: str
) -> Iterator[tuple[CompatReport, float]]:
    """Embedding again, then each adapter: its report on every second family, and its mean cosine there."""
    embeddings = {
        name: np.array([face.face.embedding for face, _ in its], np.float32) for name, its in families.items()
    }
    old, new = ({name: _in(space, vectors) for name, vectors in embeddings.items()} for space in (source, target))
    readings = [_reading(space) for space in (source, target)]
    learnt, judged = list(families)[::2], list(families)[1::2]
    owners = np.repeat(np.arange(len(learnt)), [len(old[name]) for name in learnt])
    pairs = Pairs(
        np.concatenate([old[name] for name in learnt]), np.concatenate([new[name] for name in learnt]), owners
    )
    maps = {"embedded again": None} | {kind: fit_adapter(kind, pairs) for kind in KINDS}
    for remedy, adapter in maps.items():
        stored = {name: adapter.apply(old[name]) if adapter else new[name] for name in judged}
        faces = (_family(name, families[name], old[name], new[name], stored[name]) for name in judged)
        measured = [measure_family(one, *readings) for one in faces]
        cosines = np.concatenate([(stored[name] * new[name]).sum(axis=1) for name in judged])
        yield compare(measured, source=source, target=target, remedy=remedy), float(cosines.mean())


def table(families: dict[str, list[tuple[AlbumFace, str]]]) -> Iterator[str]:
    """Lines of Markdown, a row for each pair of spaces and way."""
    columns = (
        "from",
        "to",
        "by",
        "cosine",
        "TAR old",
        "new",
        "stored with new",
        "neighbours",
        "centroids",
        "broken",
        "",
    )
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for source, target in _PAIRS:
        for report, cosine in compared(families, source, target):
            rates = report.hit_rates["far_1"]
            cells = [
                source,
                target,
                report.remedy,
                f"{cosine:.3f}",
                *(_shown(rates[side]) for side in ("old", "new", "cross")),
                _shown(report.neighbours["mixed"]),
                _shown(report.centroids),
                f"{_shown(report.broken['old']['any'])}, {_shown(report.broken['mixed']['any'])}",
                "passes" if report.passed else "fails: " + ", ".join(c.key for c in report.checks if not c.passed),
            ]
            yield f"| {' | '.join(cells)} |"
    yield ""
    yield (
        f"Judged by {report.families} families, {report.faces} faces, {report.persons} persons,"
        f" {report.true_pairs:,} true and {report.false_pairs:,} false pairs, each within one family."
    )


def _family(name: str, its: list[tuple[AlbumFace, str]], old: Vectors, new: Vectors, stored: Vectors) -> FamilyFaces:
    observations = tuple(
        replace(face.observation, embedding=vector) for (face, _), vector in zip(its, old, strict=True)
    )
    persons = tuple(PersonId(uuid5(_PEOPLE, member)) for _, member in its)
    return FamilyFaces(family_id(name), observations, persons, new, stored)


def _in(space: str, vectors: Vectors) -> Vectors:
    """Vectors of the default space in another one, with zeros after its own numbers."""
    mapped = vectors @ spaces()[space]
    mapped = np.pad(mapped, ((0, 0), (0, vectors.shape[1] - mapped.shape[1])))
    found: Vectors = (mapped / np.linalg.norm(mapped, axis=1, keepdims=True)).astype(np.float32)
    return found


def _reading(space: str) -> Reading:
    """By the similarity that was measured in a packaged space; single networks are read like the default space."""
    embedder = load_embedders().get(space)
    if embedder is None or embedder.similarity is None:
        return Reading()
    one = embedder.similarity
    return Reading(
        parameters=ClusteringParameters(
            similarity=one, poor_similarity=one, child_similarity=one, young_likeness=0.0, grown_likeness=0.0
        )
    )


def _shown(estimate: Estimate) -> str:
    return "" if estimate.value is None else f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albums", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--album", nargs="+", default=["fiw", "growth", "stream"])
    arguments = parser.parse_args()
    families = faces_of(arguments.albums, arguments.album, arguments.cache)
    for line in table(families):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
