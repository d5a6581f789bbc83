"""The bundled portraits and what is known of each.

Only pictures that employees of the United States took as their work; such works are in the public domain in the
United States.  manifest.json names for each its credit, its source package and the digests of source and file.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Box
from facealbum.domain.people import Gender


@dataclass(frozen=True, slots=True)
class Portrait:
    """One bundled picture: who it shows, at which age, and where the only face is, in its own pixels."""

    key: str
    person: str
    name: str
    gender: Gender
    age: int
    face: Box


@cache
def load_portraits() -> tuple[Portrait, ...]:
    """Every bundled portrait, ordered by key."""
    rows = json.loads(_folder().joinpath("manifest.json").read_text(encoding="utf-8"))
    return tuple(
        Portrait(
            row["key"], row["person"], row["name"], Gender(row["gender"]), row["age"], Box(*map(float, row["face"]))
        )
        for row in rows
    )


def load_pixels(key: str) -> NDArray[np.uint8]:
    """The portrait's picture, uint8[height, width, 3] RGB."""
    data = np.frombuffer(_folder().joinpath(f"{key}.jpg").read_bytes(), np.uint8)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


def _folder() -> resources.abc.Traversable:
    return resources.files("facealbum.demo").joinpath("portraits")
