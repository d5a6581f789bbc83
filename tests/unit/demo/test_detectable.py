"""Every face of the demo album is found where it was put, and its person is told apart."""

from pathlib import Path

import numpy as np
import pytest

from facealbum.demo.album import DemoPhoto, build_demo_album
from facealbum.domain.faces import Box, Face
from models.analyzer import Analyzer


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[DemoPhoto, list[Face]]]:
    analyzer = Analyzer.load()
    album = build_demo_album(tmp_path_factory.mktemp("album"))
    return [
        (photo, sorted(analyzer.analyze(Path(photo.path).read_bytes()).faces, key=lambda face: face.box.x1))
        for photo in album.photos
    ]


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    both = max(0.0, min(a.x2, b.x2) - max(a.x1, b.x1)) * max(0.0, min(a.y2, b.y2) - max(a.y1, b.y1))
    return both / (a.width * a.height + b.width * b.height - both)


def test_each_photo_has_exactly_the_faces_that_were_put_there(found: list[tuple[DemoPhoto, list[Face]]]) -> None:
    for photo, faces in found:
        assert len(faces) == len(photo.faces), photo.photo
        for face, truth in zip(faces, photo.faces, strict=True):
            assert overlap(face.box, truth.box) > 0.6, photo.photo


def test_a_person_is_nearer_to_themselves_than_to_anybody_else(found: list[tuple[DemoPhoto, list[Face]]]) -> None:
    pairs = [pair for photo, faces in found for pair in zip(faces, photo.faces, strict=True)]
    vectors = np.stack([face.embedding for face, _ in pairs])
    people = np.array([truth.person for _, truth in pairs])
    similarity = vectors @ vectors.T
    same = people[:, None] == people
    assert similarity[same].min() > similarity[~same].max() + 0.2
