"""What is drawn can be seen: marks where the face is, axes where the head points, numbers for every face."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from eval.drawing import draw_faces, head_axes
from facealbum.domain.faces import Box, Face

FACE = Face(
    box=Box(400, 200, 520, 350),
    landmarks=np.array([[430, 250], [490, 250], [460, 280], [435, 310], [485, 310]], np.float32),
    yaw=0,
    pitch=0,
    roll=0,
    age=4.2,
    p_female=0.8,
    quality=0.9,
    score=0.95,
    embedding=np.zeros(512, np.float32),
)


def drawn(rows: int, columns: int, *faces: Face, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    grey = np.full((rows, columns, 3), 128, np.uint8)
    return np.asarray(draw_faces(grey, dict(enumerate(faces, 1)), size=size or (columns, rows)))


@pytest.mark.parametrize(
    ("turned", "nose"),
    [
        ({"yaw": 30.0}, (1, 0)),
        ({"yaw": -30.0}, (-1, 0)),
        ({"pitch": 30.0}, (0, -1)),
        ({"pitch": -30.0}, (0, 1)),
        ({"pitch": 30.0, "roll": 90.0}, (1, 0)),
    ],
)
def test_the_nose_points_where_the_angles_say(turned: dict[str, float], nose: tuple[int, int]) -> None:
    axes = head_axes(replace(FACE, **turned))  # type: ignore[arg-type] - only angles
    assert axes[2, :2] == pytest.approx(np.array(nose) * 0.5)
    assert axes @ axes.T == pytest.approx(np.eye(3))


def test_a_clockwise_head_has_its_side_pointing_down() -> None:
    assert head_axes(replace(FACE, roll=90.0))[0] == pytest.approx([0, 1, 0])


def test_a_face_that_looks_at_us_has_level_axes() -> None:
    assert head_axes(FACE) == pytest.approx(np.eye(3))


def test_marks_lie_where_the_face_is_whatever_the_scale() -> None:
    small, large = drawn(600, 1200, FACE), drawn(300, 600, FACE, size=(1200, 600))
    assert small.shape == large.shape
    for picture in (small, large):
        assert (picture[202:348, 399:403] != 128).any(axis=(1, 2)).all()
    assert (small[:150, :350] == 128).all()


@pytest.mark.parametrize(("rows", "columns"), [(40, 30), (600, 1200), (3000, 4000), (50, 5000)])
def test_any_picture_becomes_one_of_a_size_to_look_at(rows: int, columns: int) -> None:
    height, width, _ = drawn(rows, columns, FACE).shape
    assert 1200 <= max(height, width) <= 2600


def test_a_crowd_gets_a_legend_of_several_columns() -> None:
    crowd = [replace(FACE, age=float(age)) for age in range(60)]
    assert drawn(600, 1200, *crowd).shape[1] > drawn(600, 1200, *crowd[:2]).shape[1]


def test_a_face_that_passes_the_border_is_drawn_as_far_as_it_shows() -> None:
    beyond = replace(FACE, box=Box(-50, -40, 60, 80), landmarks=FACE.landmarks - np.float32([450, 250]))
    assert drawn(600, 1200, beyond).shape == drawn(600, 1200, FACE).shape


def test_a_face_keeps_its_number_and_what_the_picture_is_of_stands_beside() -> None:
    grey = np.full((600, 1200, 3), 128, np.uint8)
    shown = [
        np.asarray(draw_faces(grey, {number: FACE}, size=(1200, 600), caption=caption))
        for number, caption in ((1, ""), (3, ""), (3, "second 2"))
    ]
    assert (shown[0][150:200, 390:430] != shown[1][150:200, 390:430]).any()
    assert np.array_equal(shown[1][:, :1200], shown[2][:, :1200])
    assert not np.array_equal(shown[1][:, 1200:], shown[2][:, 1200:])


def test_a_picture_without_faces_says_so() -> None:
    assert (drawn(600, 1200)[:, 1200:] != drawn(600, 1200)[0, -1]).any()
