"""Faces that are embedded again where analysis found them get the vectors that analysis gave them."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from facealbum.domain.faces import Face
from facealbum.errors import DamagedImageError
from models.analyzer import Analyzer
from models.limits import Limits
from models.reembed import Place, Reembedder
from models.registry import load_embedders


@pytest.fixture(scope="module")
def reembedder() -> Reembedder:
    """The default space's."""
    return Reembedder(next(iter(load_embedders().values())), limits=Limits())


def places(faces: tuple[Face, ...]) -> list[Place]:
    return [Place(face.box, face.landmarks, face.score) for face in faces]


@pytest.mark.parametrize("sides", [(1400, 900), (700, 300)])
def test_the_vectors_of_a_photo_that_is_decoded_smaller_come_out_again_in_the_order_asked_for(
    analyzer: Analyzer, reembedder: Reembedder, portrait: Image.Image, sides: tuple[int, int]
) -> None:
    photo, content = Image.new("RGB", (4000, 2001), "grey"), BytesIO()
    for number, side in enumerate(sides):
        photo.paste(portrait.resize((side * portrait.width // portrait.height, side)), (300 + 1900 * number, 200))
    photo.save(content, "JPEG")
    faces = analyzer.analyze(content.getvalue()).faces
    assert len(faces) == 2
    again = reembedder.embed(content.getvalue(), places(faces[::-1]))
    for face, vector in zip(faces[::-1], again, strict=True):
        assert float(face.embedding @ vector) == pytest.approx(1, abs=1e-4)
    assert float(again[0] @ again[1]) < 0.999


def test_an_upload_that_is_no_photo_any_more_is_a_photo_error(
    analyzer: Analyzer, reembedder: Reembedder, portrait: Image.Image
) -> None:
    content = BytesIO()
    portrait.save(content, "PNG")
    faces = analyzer.analyze(content.getvalue()).faces
    with pytest.raises(DamagedImageError):
        reembedder.embed(content.getvalue()[:-100], places(faces))
    assert np.linalg.norm(reembedder.embed(content.getvalue(), places(faces))[0]) == pytest.approx(1)
