"""Counting found faces: what matches, what is extra, and where a collage says that its faces are."""

import numpy as np
import pytest

from eval.detection import Count, Picture, Sample, collage, holds, near, render
from facealbum.demo.portraits import load_pixels
from facealbum.domain.faces import Box
from models.detector import Detection, Detector
from models.registry import load_specs

POINTS = np.zeros((5, 2), np.float32)


def boxes(*found: Box) -> list[Detection]:
    return [Detection(box, POINTS, 0.9) for box in found]


def test_a_found_face_counts_once_and_a_box_elsewhere_is_extra() -> None:
    count = Count()
    found = boxes(Box(0, 0, 10, 10), Box(1, 1, 11, 11), Box(50, 50, 60, 60))
    count.add(np.zeros((9, 9, 3), np.uint8), lambda _: found, [near(Box(0, 0, 10, 10)), near(Box(90, 90, 99, 99))])
    assert (count.found, count.faces, count.extra, count.pictures) == (1, 2, 1, 1)


def test_a_nose_matches_the_box_that_holds_it() -> None:
    assert holds(5, 5)(Box(0, 0, 10, 10))
    assert not holds(5, 15)(Box(0, 0, 10, 10))


@pytest.mark.parametrize("tilt", [0, 180])
def test_a_collage_has_its_faces_where_it_says(tilt: int) -> None:
    detector = Detector(load_specs()["detector"])
    picture: Picture = load_pixels("collins-1998")
    (known,) = detector.detect(picture)
    places = collage([Sample(picture, known.box)] * 4, np.random.default_rng(1), side=220, tilt=tilt)
    count = Count()
    count.add(places[0], detector.detect, [near(box) for box in places[1]])
    assert (count.found, count.faces, count.extra) == (4, 4, 0)


def test_tables_show_every_count_with_its_interval() -> None:
    count = Count(found=3, faces=4, extra=2, pictures=2, milliseconds=5.0)
    table = render({"some": count, "none": Count(pictures=1)}, [(20, [count, count])])
    assert "| some | 2 | 3 of 4 (0.301 to 0.954) | 2 | 2.5 |" in table
    assert "| none | 1 |  | 0 | 0.0 |" in table
    assert "| 20 | 0.75 | 0.75 |" in table
