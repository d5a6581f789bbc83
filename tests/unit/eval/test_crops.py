"""A crop is a square JPEG that shows the face and never leaves the photo."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.report import crop_face
from facealbum.domain.faces import Box
from facealbum.errors import InvalidValueError


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)


def test_the_face_is_in_the_middle_with_room_around_it_and_in_its_colours() -> None:
    image = np.zeros((400, 600, 3), np.uint8)
    image[150:250, 250:350] = (220, 40, 30)
    crop = decoded(crop_face(image, Box(250, 150, 350, 250)))
    assert crop.shape == (112, 112, 3)
    red, green, blue = crop[56, 56].astype(int)
    assert abs(red - 220) + abs(green - 40) + abs(blue - 30) < 30
    assert crop[4, 4].max() < 30
    assert 0.4 < (crop[:, :, 0] > 110).mean() < 0.55


def test_a_face_at_the_border_is_cropped_inside_the_photo() -> None:
    image = np.full((200, 200, 3), 255, np.uint8)
    assert decoded(crop_face(image, Box(-40, -40, 30, 30))).min() > 250


coordinate = st.floats(-500, 700)


@given(coordinate, coordinate, coordinate, coordinate, st.integers(1, 90), st.integers(1, 90))
def test_any_box_gives_a_square_of_the_photo(
    x1: float, y1: float, x2: float, y2: float, width: int, height: int
) -> None:
    image = np.full((height, width, 3), 200, np.uint8)
    crop = decoded(crop_face(image, Box(x1, y1, x2, y2), size=64))
    assert crop.shape == (64, 64, 3)
    assert abs(crop.astype(int) - 200).max() < 4


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3)])
def test_a_picture_without_pixels_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(InvalidValueError, match="picture with pixels"):
        crop_face(np.zeros(shape, np.uint8), Box(0, 0, 1, 1))


def test_a_box_that_is_nowhere_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="finite box"):
        crop_face(np.zeros((5, 5, 3), np.uint8), Box(0, 0, float("nan"), 1))
