"""What quality says of a portrait that is made worse."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from models.alignment import ARCFACE, Pyramid, cut, similarity
from models.calibration import load_calibrations
from models.detection import Detection
from models.detector import Detector
from models.landmarks import Placed, place_landmarks
from models.network import Network, open_network
from models.quality import estimate_quality, sharpness
from models.registry import load_specs

CALIBRATION = load_calibrations()["quality"]
Picture = NDArray[np.uint8]


def _smaller(picture: Picture, factor: int) -> Picture:
    rows, columns, _ = picture.shape
    small = cv2.resize(picture, (columns // factor, rows // factor), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def _covered(picture: Picture) -> Picture:
    """A grey board over the right half of the face."""
    result = picture.copy()
    result[:, result.shape[1] // 2 :] = 128
    return result


FAULTS: dict[str, Callable[[Picture], Picture]] = {
    "blurred": lambda picture: cv2.GaussianBlur(picture, (0, 0), 12).astype(np.uint8),
    "tiny": lambda picture: _smaller(picture, 28),
    "dark": lambda picture: (picture * 0.02).astype(np.uint8),
    "covered": _covered,
}


@pytest.fixture(scope="module")
def mesh() -> Network:
    return open_network(load_specs()["landmarks"])


@pytest.fixture(scope="module")
def found(portrait: Image.Image) -> tuple[Picture, Detection]:
    """The part of the portrait around its face, and the face."""
    pixels = np.array(portrait)
    (face,) = Detector.load().detect(pixels)
    return pixels, face


def quality(network: Network, picture: Picture, face: Detection) -> float:
    pyramid = Pyramid(picture)
    placed = place_landmarks(network, pyramid, face)
    chip = cut(pyramid, similarity(placed.face.landmarks, ARCFACE), 112)
    return estimate_quality(placed, chip, CALIBRATION)


def test_a_good_portrait_can_be_trusted(mesh: Network, found: tuple[Picture, Detection]) -> None:
    assert quality(mesh, *found) > 0.9


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_lowers_quality(mesh: Network, found: tuple[Picture, Detection], fault: str) -> None:
    picture, face = found
    assert quality(mesh, FAULTS[fault](picture), face) < 0.85 * quality(mesh, picture, face)


@given(pair=st.lists(st.floats(-20, 80), min_size=2, max_size=2).map(sorted))
def test_a_surer_mesh_never_lowers_quality(pair: list[float]) -> None:
    chip = np.random.default_rng(1).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    face = Detection(None, np.zeros((5, 2), np.float32), 0.9)  # type: ignore[arg-type]
    less, more = (estimate_quality(Placed(face, None, presence), chip, CALIBRATION) for presence in pair)
    assert 0 <= less <= more <= 1


def test_what_is_dark_on_bright_is_as_sharp_as_what_is_bright_on_dark() -> None:
    dots = np.zeros((112, 112, 3), np.uint8)
    dots[10::20, 10::20] = dots[11::20, 10::20] = dots[10::20, 11::20] = dots[11::20, 11::20] = 200
    assert sharpness(255 - dots) == pytest.approx(sharpness(dots))


def test_sharpness_of_an_even_chip_is_finite() -> None:
    assert np.isfinite(sharpness(np.full((112, 112, 3), 90, np.uint8)))
