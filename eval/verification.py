"""How well embeddings tell people apart: the share of true pairs above the threshold that few false pairs pass.

    python -m eval.verification BENCH [--cache FOLDER]

BENCH holds growth_faces (labels.csv: file, subject, age, nose nx, ny) and visible/fiw (photos.csv, truth.csv).  Every
picture goes the product's own way; a face is the one that holds the labelled nose, or the middle of the labelled box.
TAR at FAR 0.1 % is the share of pairs of one person above the similarity that one in a thousand pairs of two people
reaches; intervals (95 %) draw the subjects, or the families, again.
"""

import argparse
import hashlib
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eval.rows import read_rows
from facealbum.domain.faces import EMBEDDING_SIZE, Face
from models.analyzer import Analyzer
from models.registry import load_embedders

_CHILD = 12  # years
_DRAWS = 100
_SFACE = 128  # the first numbers of the default space are SFace's, the others MobileFaceNet's

Row: TypeAlias = tuple[Face, str, str, str, int]
"""A face, its person, group, photo and age."""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """n faces: embeddings float32[n, 512]; who, in which group (subject or family) and photo; ages, -1 if unknown."""

    embeddings: NDArray[np.float32]
    persons: NDArray[np.str_]
    groups: NDArray[np.str_]
    photos: NDArray[np.str_]
    ages: NDArray[np.int64]

    def seen_by(self, space: NDArray[np.float32]) -> Self:
        """The same faces in another space: a map float32[512, values] of the default one."""
        mapped = self.embeddings @ space
        return replace(self, embeddings=mapped / np.linalg.norm(mapped, axis=1, keepdims=True))

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Self:
        """From faces, each with person, group, photo and age."""
        found, persons, groups, photos, ages = zip(*rows, strict=True)
        embeddings = np.stack([face.embedding for face in found])
        return cls(embeddings, np.array(persons), np.array(groups), np.array(photos), np.array(ages))


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """n pairs of faces: similarities float32[n], whether of one person, and the group of either face."""

    similarities: NDArray[np.float32]
    same: NDArray[np.bool_]
    first: NDArray[np.int64]
    second: NDArray[np.int64]

    def only(self, chosen: NDArray[Any]) -> Self:
        """The chosen ones, by a mask or in an order."""
        return type(self)(self.similarities[chosen], self.same[chosen], self.first[chosen], self.second[chosen])


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def children(faces: Faces) -> Pairs:
    """All pairs of faces that are both at most twelve years old."""
    return _pairs(faces, (faces.ages >= 0) & (faces.ages <= _CHILD))


def everybody(faces: Faces) -> Pairs:
    """All pairs."""
    return _pairs(faces, np.ones(len(faces.ages), bool))


def strangers(faces: Faces) -> Pairs:
    """True pairs over photos, and false pairs over families."""
    return _pairs(faces, np.ones(len(faces.ages), bool), within=False)


def relatives(faces: Faces) -> Pairs:
    """True pairs over photos, and false pairs within one family over photos."""
    return _pairs(faces, np.ones(len(faces.ages), bool), within=True)


def hit_rate(pairs: Pairs, far: float, weights: NDArray[np.int64] | None = None) -> float:
    """TAR at a FAR; weights: int64[groups], how often each group counts."""
    if weights is None:
        weights = np.ones(max(pairs.first.max(), pairs.second.max()) + 1, np.int64)
    weight = weights[pairs.first] * np.where(pairs.first == pairs.second, 1, weights[pairs.second])
    false = ~pairs.same
    order = np.argsort(-pairs.similarities[false], kind="stable")
    passed = np.cumsum(weight[false][order])
    limit = pairs.similarities[false][order][np.searchsorted(passed, far * passed[-1], side="right")]
    true = weight[pairs.same]
    return float(true[pairs.similarities[pairs.same] > limit].sum() / true.sum())


def rate(pairs: Pairs, far: float, *, draws: int = _DRAWS) -> Rate:
    """TAR at a FAR with its interval, groups drawn again."""
    groups = max(pairs.first.max(), pairs.second.max()) + 1
    draw = np.random.default_rng(0)
    again = [hit_rate(pairs, far, draw.multinomial(groups, np.full(groups, 1 / groups))) for _ in range(draws)]
    low, high = np.quantile(again, (0.025, 0.975))
    return Rate(hit_rate(pairs, far), float(low), float(high))


def _pairs(faces: Faces, chosen: NDArray[np.bool_], *, within: bool | None = None) -> Pairs:
    """Pairs over photos; `within` keeps only the false ones of one group, or of two."""
    rows = np.flatnonzero(chosen)
    first, second = (rows[side] for side in np.triu_indices(len(rows), 1))
    same = faces.persons[first] == faces.persons[second]
    one_group = faces.groups[first] == faces.groups[second]
    kept = faces.photos[first] != faces.photos[second]
    if within is not None:
        kept &= same | (one_group == within)
    first, second, same = first[kept], second[kept], same[kept]
    _, groups = np.unique(faces.groups, return_inverse=True)
    similarities = (faces.embeddings @ faces.embeddings.T)[first, second]
    order = np.argsort(-similarities, kind="stable")  # which makes it quick to sort them again for every draw
    return Pairs(similarities, same, groups[first], groups[second]).only(order)


def load_growth(folder: Path, analyzer: Analyzer) -> Iterator[Row]:
    """Every face of growth_faces that is found, with subject (as person and group), file and age."""
    for row in read_rows(folder / "labels.csv"):
        nose = float(row["nx"]), float(row["ny"])
        found = analyzer.analyze((folder / row["file"]).read_bytes()).faces
        for face in [face for face in found if _holds(face, *nose)][:1]:
            yield face, row["subject"], row["subject"], row["file"], int(row["age"])


def load_families(folder: Path, analyzer: Analyzer) -> Iterator[Row]:
    """Every labelled face of an album that is found, with member, family and photo."""
    labels: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in read_rows(folder / "truth.csv"):
        labels[row["family"], row["photo"]].append(row)
    for photo in read_rows(folder / "photos.csv"):
        family, key = photo["family"], photo["photo"]
        found = analyzer.analyze((folder / photo["path"]).read_bytes()).faces
        for row in labels[family, key]:
            middle = (float(row["x1"]) + float(row["x2"])) / 2, (float(row["y1"]) + float(row["y2"])) / 2
            for face in [face for face in found if _holds(face, *middle)][:1]:
                yield face, f"{family} {row['member']}", family, f"{family} {key}", -1


def _holds(face: Face, x: float, y: float) -> bool:
    return face.box.x1 < x < face.box.x2 and face.box.y1 < y < face.box.y2


def spaces() -> dict[str, NDArray[np.float32]]:
    """Each single network and each packaged space as a map of the default space, which keeps all that they say."""
    everything = np.eye(EMBEDDING_SIZE, dtype=np.float32)
    embedders = load_embedders()
    heads = {space: embedder.head.read() for space, embedder in embedders.items() if embedder.head}
    default = heads[next(iter(embedders))]
    maps = {space: default.T @ head for space, head in heads.items()}
    return {"SFace": everything[:, :_SFACE], "MobileFaceNet": everything[:, _SFACE:], **maps}


def table(growth: Faces, families: Faces) -> Iterator[str]:
    """Lines of Markdown: a row a space, a column a kind of pairs, TAR at FAR 0.1 % with its interval and at 1 %."""
    columns = {
        "FG-NET, 0 to 12 years": (growth, children),
        "FG-NET, all ages": (growth, everybody),
        "FIW, strangers": (families, strangers),
        "FIW, one family": (families, relatives),
    }
    yield "| | " + " | ".join(columns) + " |"
    yield "|---|" + "---|" * len(columns)
    counts = [kind(faces) for faces, kind in columns.values()]
    yield "| true / false pairs | " + " | ".join(f"{p.same.sum():,} / {(~p.same).sum():,}" for p in counts) + " |"
    yield "| groups | " + " | ".join(str(len(np.unique(np.append(p.first, p.second)))) for p in counts) + " |"
    for name, space in spaces().items():
        pairs = [kind(faces.seen_by(space)) for faces, kind in columns.values()]
        cells = [f"{rate(one, 0.001)}; {hit_rate(one, 0.01):.2f}" for one in pairs]
        yield f"| {name} | " + " | ".join(cells) + " |"


def similarities(growth: Faces, families: Faces) -> Iterator[str]:
    """Lines of Markdown: percentiles of the similarities of true and of false pairs, for choosing thresholds."""
    yield "| | pairs | 1 % | 5 % | 25 % | 50 % | 75 % | 95 % | 99 % |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, space in spaces().items():
        for kind, faces, pairs_of in (("FG-NET", growth, everybody), ("one family of FIW", families, relatives)):
            pairs = pairs_of(faces.seen_by(space))
            for what, chosen in (("true", pairs.same), ("false", ~pairs.same)):
                values = np.percentile(pairs.similarities[chosen], (1, 5, 25, 50, 75, 95, 99))
                yield f"| {name}, {kind} | {what} | " + " | ".join(f"{value:.2f}" for value in values) + " |"


def _load(path: Path, load: Callable[[Path, Analyzer], Iterator[Row]], cache: Path | None) -> Faces:
    """The faces of a data set, kept in the folder `cache` from one run to the next."""
    analyzer = Analyzer.load()
    versions = hashlib.sha256(repr(sorted(analyzer.model_versions.items())).encode()).hexdigest()[:12]
    kept = cache / f"{path.name}-{versions}.npz" if cache else None
    if kept and kept.exists():
        with np.load(kept) as arrays:
            return Faces(*(arrays[one.name] for one in fields(Faces)))
    faces = Faces.of(list(load(path, analyzer)))
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **{one.name: getattr(faces, one.name) for one in fields(Faces)})
    return faces


def main(words: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m eval.verification", description=__doc__.split("\n", 1)[0])
    parser.add_argument("bench", type=Path)
    parser.add_argument("--cache", type=Path, help="keeps the embeddings; a folder outside of the project")
    arguments = parser.parse_args(words)
    growth = _load(arguments.bench / "growth_faces", load_growth, arguments.cache)
    families = _load(arguments.bench / "visible" / "fiw", load_families, arguments.cache)
    for line in (*table(growth, families), "", *similarities(growth, families)):
        sys.stdout.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
