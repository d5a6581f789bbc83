"""Albums with known truth, analysed once: their faces as the rest of the product sees them.

What analysis found is kept in a folder of the caller's, since a bench of clustering asks for it again and again; a
file there belongs to one album and one set of model versions.  It holds embeddings: it is never to be committed.
"""

import hashlib
import json
import pickle
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path

from eval.rows import read_rows
from facealbum.clustering import Observation
from facealbum.domain.faces import Face
from facealbum.domain.ids import PhotoId, child_id, face_id, family_id, photo_id
from facealbum.domain.people import Child, Gender
from models.analyzer import Analyzer
from models.registry import load_embedders


@dataclass(frozen=True, slots=True)
class AlbumFace:
    """One face, with the names that its album gives to family and photo."""

    family: str
    photo: str
    observation: Observation
    face: Face


@dataclass(frozen=True, slots=True)
class Album:
    """All faces of an album, in the order of its photos, and the registered children by family."""

    folder: Path
    faces: tuple[AlbumFace, ...]
    children: dict[str, tuple[Child, ...]]


@dataclass(frozen=True, slots=True)
class _Photo:
    family: str
    key: str
    path: Path
    taken_at: datetime

    @property
    def photo_id(self) -> PhotoId:
        return photo_id(family_id(self.family), self.key)


def load_album(folder: Path, cache: Path, *, space: str | None = None, processes: int = 2) -> Album:
    """The album in `folder`, analysed into the embedding space if `cache` does not hold that yet."""
    photos = [_photo(folder, row) for row in read_rows(folder / "photos.csv")]
    analyzer = _load(space)
    about = json.dumps([folder.name, analyzer.space, dict(analyzer.model_versions)], sort_keys=True)
    kept = cache / f"{folder.name}-{analyzer.space}-{hashlib.sha256(about.encode()).hexdigest()[:12]}.pickle"
    if kept.exists():
        found: list[tuple[Face, ...]] = pickle.loads(kept.read_bytes())  # noqa: S301 - written below
    else:
        found = analyse_files([photo.path for photo in photos], space=space, processes=processes)
        cache.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(found))
    detector = analyzer.model_versions["detector"]
    faces = [_faces(photo, of_photo, detector) for photo, of_photo in zip(photos, found, strict=True)]
    return Album(folder, tuple(face for some in faces for face in some), _children(folder))


def analyse_files(paths: Sequence[Path], *, space: str | None = None, processes: int = 2) -> list[tuple[Face, ...]]:
    """The faces of each picture, in this embedding space or the default one."""
    with ProcessPoolExecutor(processes, get_context("spawn"), _start, (space,)) as pool:
        return list(pool.map(_analyse, paths, chunksize=8))


_analyzer: Analyzer | None = None


def _load(space: str | None) -> Analyzer:
    return Analyzer.load(embedder=load_embedders()[space] if space else None)


def _start(space: str | None) -> None:
    global _analyzer  # noqa: PLW0603 - how a pool's process keeps its models between photos
    _analyzer = _load(space)


def _analyse(path: Path) -> tuple[Face, ...]:
    assert _analyzer is not None, "the pool starts every process with _start"  # noqa: S101
    return _analyzer.analyze(path.read_bytes()).faces


def _faces(photo: _Photo, faces: Sequence[Face], detector: str) -> list[AlbumFace]:
    return [
        AlbumFace(
            photo.family,
            photo.key,
            Observation(
                face_id(photo.photo_id, detector, number),
                photo.photo_id,
                photo.taken_at,
                face.quality,
                face.yaw,
                face.box.height,
                face.embedding,
                age=face.age,
            ),
            face,
        )
        for number, face in enumerate(faces)
    ]


def _photo(folder: Path, row: dict[str, str]) -> _Photo:
    taken_at = datetime.fromisoformat(row["taken_at"])
    return _Photo(row["family"], row["photo"], folder / row["path"], taken_at.astimezone(UTC))


def _children(folder: Path) -> dict[str, tuple[Child, ...]]:
    found: dict[str, list[Child]] = {}
    for row in read_rows(folder / "families.csv"):
        family = found.setdefault(row["family"], [])
        if row["child"]:
            identity = child_id(family_id(row["family"]), row["child"])
            family.append(Child(identity, row["child"], date.fromisoformat(row["birth_date"]), Gender(row["gender"])))
    return {family: tuple(children) for family, children in found.items()}
