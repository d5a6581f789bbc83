"""Faces of known age and gender with what is stored of each: what a calibrator learns from and is judged by."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from eval.albums import analyse_files
from eval.attributes import BANDS
from eval.calibrate import equal_shares
from eval.labelled import labelled_rows
from facealbum.domain.faces import EMBEDDING_SIZE, Face
from models.calibrator import Stored
from models.train.calibrator import LabelledEstimates

Floats = NDArray[np.float32]
_HALF = 0.5  # on average, somebody of n completed years is half a year older


@dataclass(frozen=True, slots=True, eq=False)
class KnownFaces:
    """n faces: ages, p_female, quality as analysis stores them; years and female (1, 0, NaN) as they are known.

    embeddings: float32[n, 512] of the default space.  ids, groups, sources: of each face, its subject or family, and
    where it was collected.
    """

    ages: Floats
    p_female: Floats
    quality: Floats
    embeddings: Floats
    years: Floats
    female: Floats
    ids: NDArray[np.str_]
    groups: NDArray[np.str_]
    sources: NDArray[np.str_]

    def labelled(self) -> LabelledEstimates:
        """For training; every band of age in every source counts the same."""
        bands = [next(name for name, (_, high) in BANDS.items() if age < high) for age in self.years]
        shares = equal_shares([f"{source} {band}" for source, band in zip(self.sources, bands, strict=True)])
        stored = Stored(self.ages, self.p_female, self.embeddings)
        return LabelledEstimates(stored, self.years, self.female, shares.astype(np.float32))

    def save(self, path: Path) -> None:
        """Write all arrays into one .npz file."""
        np.savez_compressed(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})


def see_known_faces(albums: Path) -> KnownFaces:
    """Those of the sets with ages and genders (eval.labelled) that are found; subjects are groups."""
    rows = labelled_rows(albums)
    found = analyse_files([row.path for row in rows])
    pairs = [
        (row, face) for row, seen in zip(rows, found, strict=True) for face in [f for f in seen if row.is_in(f.box)][:1]
    ]
    return KnownFaces(
        ages=np.array([face.age for _, face in pairs], np.float32),
        p_female=np.array([face.p_female for _, face in pairs], np.float32),
        quality=np.array([face.quality for _, face in pairs], np.float32),
        embeddings=np.array([_as_stored(face) for _, face in pairs], np.float32).reshape(-1, EMBEDDING_SIZE),
        years=np.array([row.years + _HALF for row, _ in pairs], np.float32),
        female=np.array([row.female for row, _ in pairs], np.float32),
        ids=np.array([f"{row.source} {row.path.name}" for row, _ in pairs]),
        groups=np.array([f"{row.source} {row.subject}" for row, _ in pairs]),
        sources=np.array([row.source for row, _ in pairs]),
    )


def _as_stored(face: Face) -> NDArray[np.float32]:
    """The embedding as it comes back from the database, which keeps halves."""
    vector = face.embedding.astype(np.float16).astype(np.float32)
    return vector / np.linalg.norm(vector)
