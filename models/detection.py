"""What a detector says of one face."""

from dataclasses import dataclass

from facealbum.domain.faces import Box
from models.alignment import Points


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One face; landmarks as in facealbum.domain.faces.Face."""

    box: Box
    landmarks: Points
    score: float
