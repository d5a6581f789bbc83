"""What a head is learnt from and judged by: faces with their labels, and what clustering asks of a face.

From the visible sets every picture goes the product's own way, in two processes: about four minutes for 8,500 faces.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from eval.rows import read_rows
from facealbum.domain.faces import EMBEDDING_SIZE, Face
from facealbum.errors import InvalidValueError
from models.alignment import Pyramid
from models.analyzer import Analyzer
from models.arrays import read_arrays
from models.decode import decode
from models.embedder import aligned
from models.limits import Limits
from models.network import Chip
from models.train.faces import LabelledFaces

_Seen = TypeVar("_Seen")


@dataclass(frozen=True, slots=True, eq=False)
class HeadData:
    """n labelled faces, and of each its name, P(female) as known or estimated, quality, yaw and height in pixels."""

    faces: LabelledFaces
    ids: NDArray[np.str_]
    p_female: NDArray[np.float32]
    quality: NDArray[np.float32]
    yaw: NDArray[np.float32]
    height: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.faces)

    def only(self, chosen: NDArray[np.bool_]) -> "HeadData":
        """The chosen ones."""
        return HeadData(self.faces.only(chosen), **{name: getattr(self, name)[chosen] for name in _DETAILS})

    def save(self, path: Path) -> None:
        """Write all arrays into one .npz file, which LabelledFaces.load reads as well."""
        labels = {one.name: getattr(self.faces, one.name) for one in fields(LabelledFaces)}
        np.savez_compressed(path, **labels, **{name: getattr(self, name) for name in _DETAILS})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; raises InvalidValueError if the file holds something else."""
        try:
            arrays = read_arrays(path.read_bytes())
            return cls(LabelledFaces.load(path), **{name: arrays[name] for name in _DETAILS})
        except (OSError, ValueError, KeyError) as error:
            raise InvalidValueError(f"{path} must hold the arrays of HeadData, {error}") from error

    @classmethod
    def of(cls, rows: Sequence["LabelledRow"]) -> Self:
        """From rows in their order; names become numbers."""
        return cls(
            LabelledFaces(
                embeddings=np.array([row.embedding for row in rows], np.float32).reshape(-1, EMBEDDING_SIZE),
                families=_numbered([row.family for row in rows]),
                persons=_numbered([row.person for row in rows]),
                photos=_numbered([row.photo for row in rows]),
                ages=np.array([row.age for row in rows], np.float32),
                sources=np.array([row.source for row in rows], np.int64),
            ),
            ids=np.array([row.id for row in rows], np.str_),
            **{name: np.array([getattr(row, name) for row in rows], np.float32) for name in _DETAILS[1:]},
        )


_DETAILS = ("ids", "p_female", "quality", "yaw", "height")


class LabelledRow(NamedTuple):
    """One face; family, person and photo by any names that are unique over all of them."""

    id: str
    family: str
    person: str
    photo: str
    source: int
    age: float
    p_female: float
    quality: float
    yaw: float
    height: float
    embedding: NDArray[np.float32]


class _Picture(NamedTuple):
    """A picture and whom it shows; age: None if only estimated; nose: None for a crop with the face in its middle."""

    path: Path
    family: str
    person: str
    photo: str
    age: float | None
    nose: tuple[float, float] | None


def gather(bench: Path, *, processes: int = 2) -> tuple[HeadData, list[str]]:
    """The visible sets, and the group of each face.

    Source 0: crops of families, ages as estimated; source 1: people as they grow, each a family alone, with their ages.
    """
    rows = _gathered(bench, _look, processes)
    return HeadData.of(rows), [row.family for row in rows]


def gather_chips(bench: Path, *, processes: int = 2) -> tuple[HeadData, list[str], NDArray[np.uint8]]:
    """The same, and the aligned faces uint8[n, 112, 112, 3]."""
    found = _gathered(bench, _cut, processes)
    return (
        HeadData.of([row for row, _ in found]),
        [row.family for row, _ in found],
        np.stack([chip for _, chip in found]),
    )


def _gathered(bench: Path, look: Callable[["_Picture"], _Seen | None], processes: int) -> list[_Seen]:
    pictures = [*_crops(bench / "train_faces"), *_growing(bench / "growth_faces")]
    with ProcessPoolExecutor(processes, get_context("spawn"), _start) as pool:
        return [seen for seen in pool.map(look, pictures, chunksize=16) if seen is not None]


def _crops(folder: Path) -> Iterator[_Picture]:
    for row in read_rows(folder / "labels.csv"):
        yield _Picture(folder / row["file"], row["family"], row["member"], row["photo"], None, None)


def _growing(folder: Path) -> Iterator[_Picture]:
    for row in read_rows(folder / "labels.csv"):
        subject, nose = row["subject"], (float(row["nx"]), float(row["ny"]))
        yield _Picture(folder / row["file"], subject, subject, row["file"], float(row["age"]), nose)


_analyzer: Analyzer | None = None


def _start() -> None:
    global _analyzer  # noqa: PLW0603 - how a pool's process keeps its models between pictures
    _analyzer = Analyzer.load()


def _look(picture: _Picture) -> LabelledRow | None:
    """The labelled face, None if it is not found."""
    found = _find(picture)
    return None if found is None else _labelled(picture, found[1])


def _cut(picture: _Picture) -> tuple[LabelledRow, Chip] | None:
    """The same with the chip that networks see."""
    found = _find(picture)
    if found is None:
        return None
    data, face = found
    photo = decode(data, limits=Limits())
    landmarks = (face.landmarks / np.array(photo.scale)).astype(np.float32)
    return _labelled(picture, face), aligned(Pyramid(photo.pixels), landmarks)


def _find(picture: _Picture) -> tuple[bytes, Face] | None:
    """The labelled face in the bytes in which it was found; crops are padded, so that they can be detected."""
    assert _analyzer is not None, "the pool starts every process with _start"  # noqa: S101
    if picture.nose is not None:
        data = picture.path.read_bytes()
        face = next((face for face in _analyzer.analyze(data).faces if _holds(face, *picture.nose)), None)
        return None if face is None else (data, face)
    crop = cv2.imread(str(picture.path))
    if crop is None:
        return None
    edge = max(crop.shape[:2]) // 2
    padded = cv2.copyMakeBorder(crop, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(128, 128, 128))
    data = cv2.imencode(".png", padded)[1].tobytes()
    middle = np.array(padded.shape[1::-1]) / 2
    faces = _analyzer.analyze(data).faces
    face = min(faces, key=lambda face: float(np.linalg.norm(face.landmarks.mean(axis=0) - middle)), default=None)
    return None if face is None else (data, face)


def _labelled(picture: _Picture, face: Face) -> LabelledRow:
    source = int(picture.nose is not None)
    name = f"{picture.path.parent.name}/{picture.path.name}"
    age = face.age if picture.age is None else picture.age
    details = face.p_female, face.quality, face.yaw, face.box.height, face.embedding
    return LabelledRow(name, picture.family, picture.person, picture.photo, source, age, *details)


def _holds(face: Face, x: float, y: float) -> bool:
    return face.box.x1 < x < face.box.x2 and face.box.y1 < y < face.box.y2


def _numbered(words: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(np.array(words, np.str_), return_inverse=True)[1].astype(np.int64)
