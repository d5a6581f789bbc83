"""Counting found faces: what matches, what is extra, and where a collage says that its faces are."""

import numpy as np
import pytest

from eval.covers import COVERS, covered
from eval.detection import (
    COVERED,
    GROUPS,
    SMALL,
    Count,
    count_groups,
    count_small,
    finder,
    holds,
    render,
    render_covers,
    render_small,
)
from eval.pasted_faces import Picture, Sample, collage, near
from facealbum.clustering.intervals import Rate
from facealbum.demo.portraits import load_pixels
from facealbum.domain.faces import Box
from models.analyzer import Analyzer
from models.detector import Detector


@pytest.fixture(scope="module")
def sample() -> Sample:
    picture: Picture = load_pixels("collins-1998")
    (known,) = Detector.load().detect(picture)
    return Sample(picture, known.box)


def test_a_found_face_counts_once_and_a_box_elsewhere_is_extra() -> None:
    count = Count()
    found = [Box(0, 0, 10, 10), Box(1, 1, 11, 11), Box(50, 50, 60, 60)]
    seen = count.add(b"", lambda _: found, [near(Box(0, 0, 10, 10)), near(Box(90, 90, 99, 99))])
    assert seen == [True, False]
    assert (count.found, count.faces, count.extra, count.pictures) == (1, 2, 1, 1)


def test_a_nose_matches_the_box_that_holds_it() -> None:
    assert holds(5, 5)(Box(0, 0, 10, 10))
    assert not holds(5, 15)(Box(0, 0, 10, 10))


@pytest.mark.parametrize("tilt", [0, 180])
def test_a_collage_has_its_faces_where_it_says(sample: Sample, tilt: int) -> None:
    data, places = collage([sample] * 4, np.random.default_rng(1), sides=[440, 440, 440, 300], tilt=tilt)
    count = Count()
    count.add(data, finder(Analyzer.load()), [near(box) for box in places])
    assert (count.found, count.faces, count.extra) == (4, 4, 0)


def test_a_mixed_group_is_told_by_size(sample: Sample) -> None:
    count, rates = count_groups([sample] * 12, lambda _: [], photos=1)
    assert (count.found, count.faces, count.extra) == (0, 12, 0)
    assert [rate.hits for rate in rates] == [0] * (len(GROUPS) - 1)
    assert sum(rate.cases for rate in rates) == 12


def test_tables_show_every_count_with_its_interval() -> None:
    count = Count(found=3, faces=4, extra=2, pictures=2, milliseconds=5.0)
    table = render({"some": count, "none": Count(pictures=1)}, [(20, [count, count])], [Rate(1, 4)] * 5)
    assert "| some | 2 | 3 of 4 (0.301 to 0.954) | 2 | 2.5 |" in table
    assert "| none | 1 |  | 0 | 0.0 |" in table
    assert "| 20 | 0.75 | 0.75 |" in table
    assert "| 28-40 | 1 of 4 (0.046 to 0.699) |" in table
    assert "| 20-28 | 1 of 2 | 3 of 4 (0.301 to 0.954) | 2 | 2.5 |" in render_small([(1, count)] * (len(SMALL) - 1))
    told = "3 of 4 (0.301 to 0.954)"
    assert f"| mask | {told} | {told} | {told} |" in render_covers({"mask": [count] * len(COVERED)})


def test_a_group_of_small_faces_counts_the_photos_with_one_found(sample: Sample) -> None:
    seen, count = count_small([sample] * 6, lambda _: [], photos=2, low=20, high=28)
    assert (seen, count.found, count.faces, count.pictures) == (0, 0, 12, 2)


@pytest.mark.parametrize("kind", COVERS)
def test_a_cover_lies_on_its_face_and_on_little_else(sample: Sample, kind: str) -> None:
    (worn,) = covered([sample], Detector.load(), kind)
    changed = (worn.picture != sample.picture).any(-1)
    box = sample.box
    rows, columns = np.argwhere(changed).T
    assert 0.05 < changed.sum() / (box.width * box.height) < 0.7
    assert box.x1 - 0.3 * box.width < columns.min() < columns.max() < box.x2 + 0.3 * box.width
    assert box.y1 - 0.5 * box.height < rows.min() < rows.max() < box.y2 + 0.2 * box.height


def test_a_sample_that_shows_no_face_is_not_covered() -> None:
    blank = Sample(np.zeros((300, 300, 3), np.uint8), Box(100, 100, 200, 200))
    assert covered([blank], Detector.load(), "mask") == []
