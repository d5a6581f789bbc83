"""What the detector promises: heads turned any way, small faces of a large picture, each face once, the same bits."""

import math
from dataclasses import replace
from io import BytesIO

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facealbum.domain.faces import Box
from models.alignment import Pyramid
from models.analyzer import Analyzer
from models.decode import decode
from models.detection import Detection
from models.detector import Detector
from models.landmarks import is_face, roll_of
from models.network import open_network
from models.registry import load_specs
from models.second_look import look_again
from models.shrink import shrunk
from models.yunet import SCORE, YuNet


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load()


def turned(portrait: Image.Image, degrees: float) -> NDArray[np.uint8]:
    """The portrait turned clockwise on a grey ground."""
    return np.array(portrait.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="grey"))


def with_portraits(portrait: Image.Image, side: int, *places: tuple[int, int]) -> NDArray[np.uint8]:
    """Portraits, `side` pixels wide, at these columns and rows of a picture of 2000 x 1500."""
    small = portrait.resize((side, side * portrait.height // portrait.width), Image.Resampling.LANCZOS)
    picture = Image.new("RGB", (2000, 1500), "grey")
    for place in places:
        picture.paste(small, place)
    return np.array(picture)


def crowd(portrait: Image.Image, side: int) -> NDArray[np.uint8]:
    """Five portraits in a picture."""
    return with_portraits(portrait, side, *((90 + 380 * place, 300 + 200 * (place % 3)) for place in range(5)))


def bits(faces: list[Detection]) -> list[tuple[object, float, bytes]]:
    return [(face.box, face.score, face.landmarks.tobytes()) for face in faces]


@pytest.mark.parametrize("degrees", [0, 22, 45, 90, 135, 180, -135, -90, -67, -45])
def test_a_turned_head_is_found_once_and_its_landmarks_turn_with_it(
    detector: Detector, portrait: Image.Image, degrees: float
) -> None:
    (upright,) = detector.detect(np.array(portrait))
    (face,) = detector.detect(turned(portrait, degrees))
    off = (roll_of(face.landmarks) - roll_of(upright.landmarks) - degrees + 180) % 360 - 180
    assert abs(off) < 30
    assert face.box.width == pytest.approx(upright.box.width, rel=0.5)


@pytest.mark.parametrize("degrees", [90, 180])
def test_a_photo_on_its_side_or_head_shows_the_same_person(
    analyzer: Analyzer, portrait: Image.Image, degrees: float
) -> None:
    embeddings = []
    for picture in (np.array(portrait), turned(portrait, degrees)):
        buffer = BytesIO()
        Image.fromarray(picture).save(buffer, "PNG")
        (face,) = analyzer.analyze(buffer.getvalue()).faces
        embeddings.append(face.embedding)
    assert float(embeddings[0] @ embeddings[1]) > 0.95


def test_small_faces_of_a_large_picture_are_found_each_once(detector: Detector, portrait: Image.Image) -> None:
    faces = detector.detect(crowd(portrait, 100))
    assert len(faces) == 5
    middles = sorted((face.box.x1 + face.box.x2) / 2 for face in faces)
    assert np.diff(middles) == pytest.approx(380, abs=12)


@pytest.mark.parametrize("side", [70, 90])
def test_a_small_face_alone_in_a_large_picture_is_found(detector: Detector, portrait: Image.Image, side: int) -> None:
    (face,) = detector.detect(with_portraits(portrait, side, (1400, 1000)))
    assert face.box.x1 > 1400
    assert face.box.x2 < 1400 + side


def test_a_small_face_where_two_parts_of_the_picture_meet_is_found_once(
    detector: Detector, portrait: Image.Image
) -> None:
    places = [(left, top) for left in (860, 1060) for top in (620, 770)]
    assert len(detector.detect(with_portraits(portrait, 80, *places))) == len(places)


def test_beside_a_small_face_those_are_found_that_only_all_pixels_show(
    detector: Detector, portrait: Image.Image
) -> None:
    picture = Image.new("RGB", (4000, 3000), "grey")
    for side, place in ((200, (500, 500)), (90, (1900, 1400)), (80, (3700, 2800)), (700, (2400, 500))):
        picture.paste(portrait.resize((side, side * portrait.height // portrait.width)), place)
    whole = np.array(picture)
    first = detector.detect(whole)
    found = detector.search(whole, first)
    assert [len(first), len(found)] == [2, 4]
    assert [face.score for face in found] == sorted((face.score for face in found), reverse=True)
    assert bits(detector.search(whole, found)) == bits(found)


TINY = ((900, 700), (2100, 500), (3300, 2300))


def with_tiny_faces(portrait: Image.Image) -> Image.Image:
    """Three faces of about 25 pixels in 12 megapixels."""
    small = portrait.resize((80, 80 * portrait.height // portrait.width), Image.Resampling.LANCZOS)
    picture = Image.new("RGB", (4000, 3000), "grey")
    for place in TINY:
        picture.paste(small, place)
    return picture


def test_faces_that_are_all_too_small_are_glimpsed_and_found_with_all_pixels(
    detector: Detector, portrait: Image.Image
) -> None:
    whole = with_tiny_faces(portrait)
    half = np.array(whole.reduce(2))
    assert detector.detect(half) == []
    assert len(detector.glimpse(half)) == 1
    found = detector.search(np.array(whole), [])
    assert sorted((face.box.x1 // 100 * 100, face.box.y1 // 100 * 100) for face in found) == sorted(TINY)


@pytest.mark.parametrize("side", [100, 140, 180, 240])
def test_a_face_alone_of_any_small_size_is_found_in_a_photo_of_12_megapixels(
    analyzer: Analyzer, portrait: Image.Image, side: int
) -> None:
    picture, buffer = Image.new("RGB", (4000, 3000), "grey"), BytesIO()
    picture.paste(
        portrait.resize((side, side * portrait.height // portrait.width), Image.Resampling.LANCZOS), (900, 700)
    )
    picture.save(buffer, "JPEG", quality=92)
    (face,) = analyzer.analyze(buffer.getvalue()).faces
    assert 900 < face.box.x1 < face.box.x2 < 900 + side


def test_a_photo_is_looked_at_for_tiny_faces_and_a_frame_of_a_video_is_not(
    analyzer: Analyzer, portrait: Image.Image
) -> None:
    buffer = BytesIO()
    with_tiny_faces(portrait).save(buffer, "JPEG", quality=92)
    assert len(analyzer.analyze(buffer.getvalue()).faces) == len(TINY)
    assert analyzer.analyze_picture(decode(buffer.getvalue())).faces == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 2), (900, 1200), (1500, 2000)])
def test_nothing_is_glimpsed_and_found_in_a_plain_picture(detector: Detector, shape: tuple[int, int]) -> None:
    plain = np.full((*shape, 3), 90, np.uint8)
    assert detector.glimpse(plain) == detector.search(plain, []) == []


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_a_small_head_that_lies_is_found_where_it_is(detector: Detector, portrait: Image.Image, degrees: int) -> None:
    picture = Image.new("RGB", (2000, 1500), "grey")
    head = portrait.resize((150, 150 * portrait.height // portrait.width)).rotate(-degrees, expand=True)
    picture.paste(head, (1400, 300))
    (face,) = detector.detect(np.array(picture))
    assert 1400 < face.box.x1 < face.box.x2 < 1400 + head.width
    assert 300 < face.box.y1 < face.box.y2 < 300 + head.height
    assert abs((roll_of(face.landmarks) - degrees + 180) % 360 - 180) < 30


def test_where_all_faces_are_large_nothing_is_searched_for(detector: Detector, portrait: Image.Image) -> None:
    whole = np.array(portrait.resize((1500, 1500 * portrait.height // portrait.width)))
    found = detector.detect(whole)
    assert bits(detector.search(np.zeros_like(whole), found)) == bits(found)


def test_the_same_pixels_give_the_same_bits_whatever_was_seen_before(detector: Detector, portrait: Image.Image) -> None:
    picture = crowd(portrait, 130)
    detector.detect(turned(portrait, 90))
    again = detector.detect(picture)
    assert bits(again) == bits(Detector.load().detect(picture))
    assert [face.score for face in again] == sorted((face.score for face in again), reverse=True)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (33, 4000), (375, 375)])
def test_a_picture_of_any_shape_without_a_face_has_none(detector: Detector, shape: tuple[int, int]) -> None:
    assert detector.detect(np.full((*shape, 3), 90, np.uint8)) == []


def test_what_only_resembles_a_face_is_dismissed_by_the_second_look(detector: Detector) -> None:
    picture = np.full((1500, 2000, 3), (222, 184, 160), np.uint8)
    for left in range(150, 1900, 400):
        for across in (-35, 35):
            cv2.circle(picture, (left + across, 700), 14, (40, 30, 30), -1)
        cv2.ellipse(picture, (left, 760), (40, 18), 0, 0, 180, (150, 60, 60), 8)
        cv2.circle(picture, (left, 720), 105, (90, 70, 60), 4)
    assert detector.detect(picture) == []


@pytest.mark.parametrize("side", [200, 400])
def test_of_a_face_that_is_half_hidden_the_mesh_has_the_last_word(
    detector: Detector, portrait: Image.Image, side: int
) -> None:
    (whole,) = detector.detect(np.array(portrait))
    half = portrait.crop((0, 0, round(whole.box.x1 + 0.4 * whole.box.width), portrait.height))
    factor = side / whole.box.height
    picture = Image.new("RGB", (2000, 1500), "grey")
    picture.paste(half.resize((round(half.width * factor), round(half.height * factor))), (300, 200))
    (face,) = detector.detect(np.array(picture))
    assert face.score < 0.85
    assert face.box.x1 < 300 + half.width * factor < face.box.x2 + side / 4


@pytest.mark.parametrize("aside", [0.0, 0.1, 0.25, 0.4])
def test_the_mesh_confirms_a_face_where_it_is_and_not_beside_it(
    detector: Detector, portrait: Image.Image, aside: float
) -> None:
    picture, network = np.array(portrait), open_network(load_specs()["landmarks"])
    (face,) = detector.detect(picture)
    off = aside * face.box.height
    box = Box(face.box.x1 + off, face.box.y1, face.box.x2 + off, face.box.y2)
    moved = replace(face, box=box, landmarks=face.landmarks + np.float32([off, 0]))
    assert is_face(network, Pyramid(picture), moved, presence=4) == (aside < 0.2)
    assert not is_face(network, Pyramid(np.full_like(picture, 128)), moved, presence=0)


def test_a_second_look_finds_the_face_of_a_rough_box_and_nothing_beside_it(portrait: Image.Image) -> None:
    picture = np.array(portrait)
    (known,) = Detector.load().detect(picture)
    box = known.box
    rough = np.zeros(SCORE + 1, np.float32)
    rough[:4] = box.x1 + 6, box.y1 - 8, box.x2 + 12, box.y2 + 4
    found = look_again(YuNet(load_specs()["detector"]), picture, rough, enough=0.9)
    assert found is not None
    assert found[:4] == pytest.approx([box.x1, box.y1, box.x2, box.y2], abs=0.12 * box.width)
    assert look_again(YuNet(load_specs()["detector"]), np.full_like(picture, 128), rough, enough=0.9) is None


@pytest.mark.parametrize(("width", "height"), [(512, 384), (375, 500), (2000, 1500), (100, 9)])
def test_a_shrunk_picture_has_the_size_that_was_asked_for_and_its_mean(width: int, height: int) -> None:
    rows, columns = np.mgrid[:1500, :2000]
    picture = np.stack([columns // 8, rows // 6, (columns + rows) // 14], axis=-1).astype(np.uint8)
    small = shrunk(picture, width, height)
    assert small.shape == (height, width, 3)
    assert math.isclose(small.mean(), picture.mean(), abs_tol=2)
