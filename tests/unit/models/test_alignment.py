"""Chips show the face where their template says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.faces import Box
from models.alignment import ARCFACE, Pyramid, cut, dlib_template, similarity, upright_square


def applied(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ transform[:, :2].T + transform[:, 2]


@given(turn=st.floats(-180, 180), scale=st.floats(0.1, 20), x=st.floats(-3000, 3000), y=st.floats(-3000, 3000))
def test_landmarks_of_a_turned_template_map_back_onto_it(turn: float, scale: float, x: float, y: float) -> None:
    angle = np.radians(turn)
    rotation = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (ARCFACE @ rotation.T + (x, y)).astype(np.float32)
    assert applied(similarity(moved, ARCFACE), moved) == pytest.approx(ARCFACE, abs=0.05)


def test_landmarks_on_one_spot_still_give_a_chip() -> None:
    chip = cut(Pyramid(np.zeros((50, 50, 3), np.uint8)), similarity(np.zeros((5, 2), np.float32), ARCFACE), 112)
    assert chip.shape == (112, 112, 3)


def test_the_dlib_template_is_level_and_symmetric() -> None:
    points = dlib_template(64)
    assert points[0, 1] == points[1, 1]
    assert points[:2, 0].mean() == pytest.approx(32, abs=0.7)
    assert (points > 0).all()
    assert (points < 64).all()


def test_a_square_is_centred_on_its_box_and_turned_back() -> None:
    transform = upright_square(Box(100, 200, 140, 260), 30, scale=1.5, size=90)
    assert applied(transform, np.array([[120.0, 230.0]]))[0] == pytest.approx((45, 45))
    right_of_centre = applied(transform, np.array([[120 + np.cos(np.radians(30)), 230 + np.sin(np.radians(30))]]))[0]
    assert right_of_centre == pytest.approx((46, 45))


@pytest.mark.parametrize("side", [60, 500, 1900])
def test_strong_reduction_keeps_the_picture_in_place_and_averages(side: int) -> None:
    rows, columns = np.mgrid[:2000, :2000]
    picture = np.stack([columns * 255 // 2000, rows * 255 // 2000, (rows + columns) % 2 * 200], -1).astype(np.uint8)
    chip = cut(Pyramid(picture), upright_square(Box(50, 50, 50 + side, 50 + side), 0, scale=1, size=50), 50)
    centre = 50 + side / 2
    assert chip[25, 25, :2].astype(float) == pytest.approx((centre * 255 / 2000,) * 2, abs=1.5)
    if side > 200:
        assert np.ptp(chip[5:-5, 5:-5, 2]) < 20  # a fine check becomes grey, not a coarse pattern
