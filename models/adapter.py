"""Maps from one embedding space into another, learnt from faces that have vectors in both: their form and their files.

Applying one takes numpy alone, whatever it was learnt with, and is a few matrix products a family.  Orthogonal and
linear maps have a closed form (models.adapter_fit); the third is a network (models.adapter_mlp).
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from facealbum.errors import InvalidValueError, ModelError
from models.arrays import read_arrays

Kind: TypeAlias = Literal["orthogonal", "linear", "mlp"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Vectors: TypeAlias = NDArray[np.float32]
"""float32[n, d] of length 1."""


def kind_of(word: str) -> Kind:
    """The kind that a user names; raises InvalidValueError."""
    for kind in KINDS:
        if kind == word:
            return kind
    raise InvalidValueError(f"an adapter must be {', '.join(KINDS)}, got {word!r}")


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """Of a vector x the direction of x @ matrix + offset + relu(x @ inner + bias) @ outer.

    matrix: float32[d, d].  offset: float32[d].  inner: float32[d, h], bias: float32[h], outer: float32[h, d], with h 0
    for an orthogonal or linear map.  source, target: the spaces that it leads between.  It was not learnt from families
    that `facealbum.domain.sides.is_held_out` holds out by the share `held_out` and the seed.
    """

    kind: Kind
    matrix: NDArray[np.float32]
    offset: NDArray[np.float32]
    inner: NDArray[np.float32]
    bias: NDArray[np.float32]
    outer: NDArray[np.float32]
    source: str = ""
    target: str = ""
    held_out: float = 1.0
    seed: int = 0

    @classmethod
    def straight(cls, kind: Kind, matrix: NDArray[np.float32], offset: NDArray[np.float32]) -> "Adapter":
        """One without hidden units."""
        size = len(matrix)
        hidden = np.zeros((size, 0), np.float32), np.zeros(0, np.float32), np.zeros((0, size), np.float32)
        return cls(kind, matrix.astype(np.float32), offset.astype(np.float32), *hidden)

    def apply(self, vectors: Vectors) -> Vectors:
        """Vectors of the old space as vectors of the new one; the same bits with any number of threads."""
        hidden = np.maximum(np.einsum("nd,dh->nh", vectors, self.inner) + self.bias, 0)
        mapped = np.einsum("nd,de->ne", vectors, self.matrix) + self.offset + np.einsum("nh,he->ne", hidden, self.outer)
        length = np.linalg.norm(mapped, axis=1, keepdims=True)
        found: Vectors = (mapped / np.maximum(length, np.finfo(np.float32).tiny)).astype(np.float32)
        return found

    def to_bytes(self) -> bytes:
        """The content of its file: an .npz of its arrays in float16, and what else is known of it."""
        file = BytesIO()
        arrays = {name: getattr(self, name).astype(np.float16) for name in _ARRAYS}
        about = {name: np.array(getattr(self, name)) for name in ("kind", *_ABOUT)}
        np.savez(file, allow_pickle=False, **about, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Adapter":
        """Read what `to_bytes` gave; raises ModelError if it is anything else."""
        try:
            arrays = read_arrays(content)
            kind = kind_of(str(arrays["kind"]))
            about = {name: arrays[name].item() for name in _ABOUT}
            maps: dict[str, Any] = {name: arrays[name].astype(np.float32) for name in _ARRAYS}
            return cls(kind, **maps, **about)
        except (ValueError, KeyError) as error:
            raise ModelError(f"an adapter's file must hold its arrays, {error!r}; train it again") from error


_ARRAYS = ("matrix", "offset", "inner", "bias", "outer")
_ABOUT = ("source", "target", "held_out", "seed")
