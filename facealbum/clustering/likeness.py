"""How likely a face shows somebody, by how similar it is: a search's answer in words that people can use.

Logistic in the cosine similarity, fitted to the albums `fiw` and `growth` in the space fused-512, with a photo's own
faces left out; docs/api.md tells how it did on another album.  Each person is judged alone, as one who may well be
absent, so chances don't add up to 1.
"""

from math import exp

CALIBRATED = "fused-512"
"""The embedding space in which all of this was measured; of any other nothing is known."""
NEAREST = 3
"""Somebody is as similar as the mean of so many faces of theirs that are nearest."""

_OF_A_PERSON = (-9.45, 18.8)
_OF_A_FACE = (-5.76, 16.4)


def chance_of_person(similarity: float) -> float:
    """That the face is the person, by the mean similarity to the `NEAREST` of the person's faces."""
    return _logistic(similarity, *_OF_A_PERSON)


def chance_of_face(similarity: float) -> float:
    """That two faces are one person."""
    return _logistic(similarity, *_OF_A_FACE)


def _logistic(similarity: float, at_zero: float, slope: float) -> float:
    return 1 / (1 + exp(-(at_zero + slope * similarity)))
