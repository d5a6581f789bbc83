"""The monitored distributions and their bins, which never change: months are compared, and added up, for ever.

Other edges need another number of `BINNING`; what was counted under the old one is then no longer compared.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import EMBEDDING_SIZE

BINNING = 1
DIRECTIONS = 8
"""So many directions of the embedding space are watched."""
NOBODY = -2.0
"""The similarity of a face that has no person; below every cosine."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """What is counted, once a face or once a photo.

    edges: ascending; bin 0 lies below the first edge, bin i from edge i - 1 on, the last from the last edge on, so
    there is one bin more than edges.
    """

    key: str
    about: str
    unit: str
    edges: tuple[float, ...]
    per_photo: bool = False

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return len(self.edges) + 1

    def count(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """int64[bins], how many of the values float64[n] fall into each bin; none may be NaN."""
        return np.bincount(np.searchsorted(self.edges, values, side="right"), minlength=self.bins).astype(np.int64)


def _steps(first: float, last: float, step: float) -> tuple[float, ...]:
    return tuple(round(first + step * number, 6) for number in range(round((last - first) / step) + 1))


def _octaves(first: int, last: int, parts: int) -> tuple[float, ...]:
    """Powers of two, each octave in so many equal parts."""
    return tuple(round(2 ** (first + number / parts), 6) for number in range((last - first) * parts + 1))


_ALL = (
    Distribution("age", "estimated age", "years", (1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 30, 40, 50, 60)),
    Distribution("p_female", "P(female)", "", _steps(0.1, 0.9, 0.1)),
    Distribution("yaw", "turn to the side", "degrees", (-60, -45, -30, -20, -10, -5, 5, 10, 20, 30, 45, 60)),
    Distribution("pitch", "turn upwards", "degrees", (-40, -30, -20, -10, -5, 5, 10, 20, 30, 40)),
    Distribution("quality", "quality", "", _steps(0.1, 0.9, 0.1)),
    Distribution("size", "shorter side of the face", "pixels", _octaves(4, 11, 2)),
    Distribution("similarity", "similarity to the own person", "cosine", (-1, *_steps(0, 0.9, 0.1))),
    Distribution("norm", "length of the networks' outputs", "", _octaves(-2, 10, 8)),
    Distribution("faces", "faces of a photo", "faces", (1, 2, 3, 4, 5, 6, 8, 12), per_photo=True),
    *(
        Distribution(f"direction {number}", f"embedding along direction {number}", "deviations", _steps(-3, 3, 0.5))
        for number in range(1, DIRECTIONS + 1)
    ),
)

DISTRIBUTIONS: Mapping[str, Distribution] = {one.key: one for one in _ALL}


def direction(number: int) -> NDArray[np.float32]:
    """The `number`th watched direction, float32[512] of -1 and 1: as random as a hash, and the same for ever.

    Along it the unit vectors of a space that prefers no direction have mean 0 and deviation 1.
    """
    bits = hashlib.sha512(f"facealbum drift direction {number}".encode()).digest()
    signs = np.unpackbits(np.frombuffer(bits, np.uint8)).astype(np.float32) * 2 - 1
    assert len(signs) == EMBEDDING_SIZE  # noqa: S101 - SHA-512 has as many bits as an embedding has numbers
    return signs
