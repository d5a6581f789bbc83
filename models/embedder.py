"""The identity of an aligned face as a unit vector; the face and its mirror image are averaged.

The mirror image halves the influence of which side is lit or shown, and costs a second run.
"""

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Embedding
from models.alignment import ARCFACE, Points, cut, similarity
from models.network import Chip, Network


def aligned(picture: NDArray[np.uint8], landmarks: Points) -> Chip:
    """The chip uint8[112, 112, 3] on which embeddings are made."""
    return cut(picture, similarity(landmarks, ARCFACE), 112)


def embed(network: Network, chip: Chip) -> Embedding:
    """The embedding of an aligned chip: float32[512] of length 1."""
    total = network.run(chip) + network.run(np.ascontiguousarray(chip[:, ::-1]))
    result: Embedding = total / np.linalg.norm(total)
    return result
