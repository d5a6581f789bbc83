"""The one call that needs no database."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from facealbum import analyze_image, demo
from facealbum.errors import PhotoError

PORTRAIT = min((Path(demo.__file__).parent / "portraits").glob("*.jpg"))


def test_a_portrait_has_one_face_with_everything_known() -> None:
    (face,) = analyze_image(PORTRAIT.read_bytes())
    assert face.embedding.shape == (512,)
    assert face.embedding.dtype == np.float32
    assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)
    assert face.landmarks.shape == (5, 2)
    assert 0 <= face.quality <= 1
    assert 0 <= face.p_female <= 1
    assert face.box.width > 20


def test_threads_get_the_same_answer() -> None:
    data = PORTRAIT.read_bytes()
    with ThreadPoolExecutor(3) as threads:
        answers = [faces[0].embedding.tobytes() for faces in threads.map(analyze_image, [data] * 3)]
    assert len(set(answers)) == 1


def test_bytes_that_are_no_picture_are_refused() -> None:
    with pytest.raises(PhotoError):
        analyze_image(b"no picture")
