"""What a head learns from: embeddings of the default space, and who they show.

No photo is needed: the default space keeps all that its networks say, and its embeddings are stored with the faces.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.errors import InvalidValueError
from models.arrays import read_arrays

Labels = NDArray[np.int64]
"""int64[n]: equal numbers mean the same one."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """n faces; raises InvalidValueError if the arrays do not fit each other.

    embeddings: float32[n, 512] of length 1, of the default space.
    families, persons, photos: whose album, who and in which photo; numbers are unique over all families.
    ages: float32[n] in years at the photo's date, or as analysis estimates them.
    sources: what was collected in one way (scans, phones); how age shows is learnt for each apart.
    """

    embeddings: NDArray[np.float32]
    families: Labels
    persons: Labels
    photos: Labels
    ages: NDArray[np.float32]
    sources: Labels

    def __post_init__(self) -> None:
        count = len(self.embeddings)
        if self.embeddings.shape != (count, EMBEDDING_SIZE):
            raise InvalidValueError(f"embeddings must be [n, {EMBEDDING_SIZE}], got {list(self.embeddings.shape)}")
        for name in ("families", "persons", "photos", "ages", "sources"):
            if getattr(self, name).shape != (count,):
                raise InvalidValueError(f"{name} must be [{count}], got {list(getattr(self, name).shape)}")
        if not (np.isfinite(self.embeddings).all() and np.isfinite(self.ages).all()):
            raise InvalidValueError("embeddings and ages must be finite; leave out the faces for which they are not")

    def __len__(self) -> int:
        return len(self.embeddings)

    def only(self, chosen: NDArray[np.bool_]) -> Self:
        """The chosen ones."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; raises InvalidValueError if the file holds something else."""
        try:
            arrays = read_arrays(path.read_bytes())
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})
        except (OSError, ValueError, KeyError) as error:
            raise InvalidValueError(f"{path} must hold the arrays of LabelledFaces, {error}") from error

    def save(self, path: Path) -> None:
        """Write all arrays into one .npz file."""
        np.savez_compressed(path, **{field.name: getattr(self, field.name) for field in fields(self)})
