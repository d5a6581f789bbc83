"""The identity of a face as a unit vector: what one or several networks see in it, brought together by a head.

Every network's output gets length 1 and the network's weight, so none outshouts the others; a head maps them together
to 512 numbers.  Mirroring a backbone's chip as well halves the influence of which side is lit or shown and doubles
its time; no packaged space does, since it raised no hit rate beyond chance (docs/models.md).
"""

import math

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import EMBEDDING_SIZE, Embedding
from facealbum.errors import ModelError
from models.alignment import ARCFACE, Points, Pyramid, cut, similarity, upright_square
from models.detection import Detection
from models.landmarks import roll_of
from models.network import Chip, Network, open_network
from models.registry import Backbone, EmbedderSpec, Preprocessing

_SIDE = 112
"""Pixels of ArcFace's chip."""
_CROP = 1.25
"""Side of an upright box's chip over the longer side of the box."""


def aligned(pyramid: Pyramid, landmarks: Points) -> Chip:
    """ArcFace's chip of a face, uint8[112, 112, 3]."""
    return cut(pyramid, similarity(landmarks, ARCFACE), _SIDE)


class Embedder:
    """The networks of an embedding space, ready to run; not to be shared between threads."""

    def __init__(self, spec: EmbedderSpec) -> None:
        self._backbones = [_Opened(backbone) for backbone in spec.backbones]
        self._head = spec.head.read() if spec.head else None
        self._version = spec.version

    def embed(self, pyramid: Pyramid, face: Detection, chip: Chip) -> Embedding:
        """The embedding float32[512] of length 1 of a face in an RGB picture, whose `aligned` chip is given.

        Raises ModelError if the networks' outputs do not fit the head, or 512 numbers.
        """
        return self.embed_with_norm(pyramid, face, chip)[0]

    def embed_with_norm(self, pyramid: Pyramid, face: Detection, chip: Chip) -> tuple[Embedding, float]:
        """The same, and how long the networks' outputs were; of several networks the geometric mean."""
        features, lengths = self._look(pyramid, face, chip)
        return self.project(features), math.exp(sum(map(math.log, lengths)) / len(lengths))

    def features(self, pyramid: Pyramid, face: Detection, chip: Chip) -> NDArray[np.float32]:
        """What the head maps: float32[features], the networks' outputs one after the other."""
        return self._look(pyramid, face, chip)[0]

    def _look(self, pyramid: Pyramid, face: Detection, chip: Chip) -> tuple[NDArray[np.float32], list[float]]:
        """The features, and the length of each network's output."""
        seen = [backbone.look(pyramid, face, chip) for backbone in self._backbones]
        return np.concatenate([output for output, _ in seen]), [length for _, length in seen]

    def project(self, features: NDArray[np.float32]) -> Embedding:
        """The embedding of features."""
        expected = EMBEDDING_SIZE if self._head is None else len(self._head)
        if len(features) != expected and (self._head is not None or len(features) > expected):
            raise ModelError(f"the networks of {self._version} must give {expected} numbers, got {len(features)}")
        embedding = (
            np.pad(features, (0, EMBEDDING_SIZE - len(features)))  # zeros change no cosine
            if self._head is None
            else np.einsum("f,fe->e", features, self._head)  # unlike a BLAS, the same bits with any number of threads
        )
        result: Embedding = embedding / np.linalg.norm(embedding)
        return result


class _Opened:
    """One backbone."""

    def __init__(self, backbone: Backbone) -> None:
        self._network: Network = open_network(backbone.model)
        self._preprocessing = backbone.model.preprocessing
        self._weight = np.float32(backbone.weight)
        self._mirrored = backbone.mirrored

    def look(self, pyramid: Pyramid, face: Detection, chip: Chip) -> tuple[NDArray[np.float32], float]:
        """The network's output, brought to the length `weight`, and the length that it had."""
        if not _takes_arcface(self._preprocessing):
            chip = _chip(self._preprocessing, pyramid, face)
        output = self._network.run(chip)
        if self._mirrored:
            output += self._network.run(np.ascontiguousarray(chip[:, ::-1]))
        length = np.linalg.norm(output)
        output *= self._weight / length
        return output, float(length)


def _takes_arcface(preprocessing: Preprocessing | None) -> bool:
    return preprocessing is not None and (preprocessing.template, preprocessing.size) == ("arcface", _SIDE)


def _chip(preprocessing: Preprocessing | None, pyramid: Pyramid, face: Detection) -> Chip:
    """A chip of another template or size."""
    assert preprocessing is not None, "open_network refuses a model without"  # noqa: S101
    size = preprocessing.size
    if preprocessing.template == "arcface":
        return cut(pyramid, similarity(face.landmarks, ARCFACE * (size / _SIDE)), size)
    return cut(pyramid, upright_square(face.box, roll_of(face.landmarks), scale=_CROP, size=size), size)
