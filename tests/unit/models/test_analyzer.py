"""What analysis promises of a photo: the same however it is stored, mirrored when it is mirrored, and repeatable."""

import subprocess
import sys
from dataclasses import astuple
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from facealbum.domain.faces import Box, Face
from facealbum.errors import DamagedImageError
from models.analyzer import Analyzer, PhotoAnalysis, sharp_side
from models.decode import Photo
from models.detection import Detection


def encoded(image: Image.Image, form: str = "PNG", **options: Image.Exif | int) -> bytes:
    buffer = BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def only(analysis: PhotoAnalysis) -> Face:
    (face,) = analysis.faces
    return face


def test_a_portrait_is_described(analyzer: Analyzer, portrait: Image.Image) -> None:
    analysis = analyzer.analyze(encoded(portrait))
    face = only(analysis)
    assert (analysis.width, analysis.height, analysis.format) == (*portrait.size, "png")
    assert np.linalg.norm(face.embedding) == pytest.approx(1)
    assert face.embedding.shape == (512,)
    assert face.embedding.dtype == face.landmarks.dtype == np.float32
    assert face.box.x1 < face.landmarks[:, 0].min() < face.landmarks[:, 0].max() < face.box.x2
    assert face.p_female > 0.7
    assert face.quality > 0.5
    assert face.score > 0.8
    assert 30 < face.age < 50
    assert set(analysis.seconds) == {"decode", "detect", "landmarks", "age_gender", "embed"}


def test_the_same_bytes_twice_give_the_same_bits(analyzer: Analyzer, portrait: Image.Image) -> None:
    content = encoded(portrait, "JPEG")
    first, second = only(analyzer.analyze(content)), only(Analyzer.load().analyze(content))
    assert first.embedding.tobytes() == second.embedding.tobytes()
    assert first.landmarks.tobytes() == second.landmarks.tobytes()
    scalars = ("box", "yaw", "pitch", "roll", "age", "p_female", "quality", "score")
    assert all(getattr(first, name) == getattr(second, name) for name in scalars)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_photo_with_its_orientation_is_the_upright_one(
    analyzer: Analyzer, portrait: Image.Image, orientation: int
) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = only(analyzer.analyze(encoded(portrait.transpose(Image.Transpose(undo)), exif=exif)))
    upright = only(analyzer.analyze(encoded(portrait)))
    assert turned.box == upright.box
    assert turned.embedding.tobytes() == upright.embedding.tobytes()


def test_a_mirrored_photo_mirrors_landmarks_yaw_and_roll(analyzer: Analyzer, portrait: Image.Image) -> None:
    face = only(analyzer.analyze(encoded(portrait)))
    mirrored = only(analyzer.analyze(encoded(ImageOps.mirror(portrait))))
    expected = face.landmarks[[1, 0, 2, 4, 3]] * (-1, 1) + (portrait.width, 0)
    eyes = np.linalg.norm(face.landmarks[1] - face.landmarks[0])
    assert np.abs(mirrored.landmarks - expected).max() < 0.08 * eyes
    assert mirrored.yaw == pytest.approx(-face.yaw, abs=5)
    assert mirrored.roll == pytest.approx(-face.roll, abs=3)
    assert float(mirrored.embedding @ face.embedding) > 0.95


def test_a_head_turned_clockwise_has_positive_roll_and_the_same_identity(
    analyzer: Analyzer, portrait: Image.Image
) -> None:
    face = only(analyzer.analyze(encoded(portrait)))
    tilted = only(analyzer.analyze(encoded(portrait.rotate(-20, Image.Resampling.BICUBIC, fillcolor="grey"))))
    assert tilted.roll == pytest.approx(face.roll + 20, abs=4)
    assert tilted.yaw == pytest.approx(face.yaw, abs=8)
    assert float(tilted.embedding @ face.embedding) > 0.85


def test_a_photo_decoded_smaller_has_boxes_in_full_pixels(analyzer: Analyzer, portrait: Image.Image) -> None:
    face = only(analyzer.analyze(encoded(portrait)))
    factor = 4000 / portrait.width
    large = portrait.resize((4000, round(portrait.height * factor)), Image.Resampling.BICUBIC)
    found = only(analyzer.analyze(encoded(large, "JPEG", quality=90)))
    assert np.abs(found.landmarks / factor - face.landmarks).max() < 0.05 * face.box.width
    assert float(found.embedding @ face.embedding) > 0.9


def test_boxes_and_landmarks_are_scaled_across_and_down_each_by_its_own(
    analyzer: Analyzer, portrait: Image.Image
) -> None:
    pixels, (width, height) = np.asarray(portrait), portrait.size
    plain, wide = (
        only(analyzer.analyze_picture(Photo(pixels, across * width, down * height, "png", None)))
        for across, down in ((1, 1), (2, 3))
    )
    assert wide.landmarks.tolist() == (plain.landmarks * np.array([2, 3], np.float32)).tolist()
    assert astuple(wide.box) == tuple(np.multiply(astuple(plain.box), (2, 3, 2, 3)).tolist())
    assert wide.embedding.tobytes() == plain.embedding.tobytes()


@pytest.mark.parametrize(("sides", "needed"), [((), 1500), ((200, 64), 1500), ((200, 48, 90), 2000), ((9, 200), 4330)])
def test_a_photo_is_decoded_as_sharp_as_its_smallest_face_needs(sides: tuple[int, ...], needed: int) -> None:
    photo = Photo(np.zeros((1000, 1500, 3), np.uint8), 6000, 4000, "jpeg", None)
    faces = [Detection(Box(0, 0, side / 2, side), np.zeros((5, 2), np.float32), 0.9) for side in sides]
    assert sharp_side(photo, faces) == needed


def test_several_faces_come_by_falling_score(analyzer: Analyzer, portrait: Image.Image) -> None:
    row = Image.new("RGB", (portrait.width * 3, portrait.height), "grey")
    for number in range(3):
        row.paste(portrait, (portrait.width * number, 0))
    scores = [face.score for face in analyzer.analyze(encoded(row)).faces]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


def test_small_faces_of_a_large_photo_are_found_by_the_second_look(analyzer: Analyzer, portrait: Image.Image) -> None:
    crowd = Image.new("RGB", (3600, 2400), "grey")
    for column in range(5):
        side = 200 + 60 * column
        crowd.paste(portrait.resize((side, side * portrait.height // portrait.width)), (100 + 700 * column, 900))
    assert len(analyzer.analyze(encoded(crowd, "JPEG")).faces) == 5


@pytest.mark.parametrize("size", [(1, 1), (3000, 1), (40, 30), (640, 480)])
def test_a_photo_without_a_face_has_no_faces(analyzer: Analyzer, size: tuple[int, int]) -> None:
    assert analyzer.analyze(encoded(Image.new("RGB", size, "teal"))).faces == ()


def test_a_damaged_photo_is_a_photo_error(analyzer: Analyzer, portrait: Image.Image) -> None:
    content = encoded(portrait, "JPEG")
    with pytest.raises(DamagedImageError):
        analyzer.analyze(content[: len(content) // 2])


def test_analysis_never_imports_tensorflow() -> None:
    script = (
        "import sys, models.convert.__main__\n"
        "from models.analyzer import Analyzer\n"
        "Analyzer.load()\n"
        "sys.exit(bool({'tensorflow', 'keras', 'onnx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, capture_output=True).returncode == 0
