"""An embedding is what its networks see, brought together so that cosines survive."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from facealbum.domain.faces import Box
from facealbum.errors import ModelError
from models.alignment import ARCFACE, Pyramid
from models.detection import Detection
from models.embedder import Embedder, aligned
from models.network import Chip, open_network
from models.registry import Backbone, EmbedderSpec, load_embedders, load_specs

SPACES = tuple(load_embedders())


@pytest.fixture(scope="module")
def face() -> Detection:
    """A face whose landmarks lie where ArcFace has them, four times as large."""
    return Detection(Box(80, 60, 380, 440), ARCFACE * 4, 0.9)


@pytest.fixture(scope="module")
def pyramid(portrait: Image.Image) -> Pyramid:
    return Pyramid(np.asarray(portrait.resize((448, 448))))


@pytest.fixture(scope="module")
def chip(pyramid: Pyramid, face: Detection) -> Chip:
    return aligned(pyramid, face.landmarks)


def alone(role: str, *, mirrored: bool = False) -> EmbedderSpec:
    """A space of one packaged network without a head."""
    return EmbedderSpec("one", "one-1", (Backbone(load_specs()[role], 1.0, mirrored),), None, "MIT", False)


@pytest.mark.parametrize("space", SPACES)
def test_an_embedding_has_512_numbers_of_length_1_and_is_the_same_every_time(
    space: str, pyramid: Pyramid, face: Detection, chip: Chip
) -> None:
    embedder = Embedder(load_embedders()[space])
    first, again = embedder.embed(pyramid, face, chip), embedder.embed(pyramid, face, chip)
    assert (first.shape, first.dtype) == ((512,), np.float32)
    assert np.linalg.norm(first) == pytest.approx(1)
    assert first.tobytes() == again.tobytes()


def test_the_fused_space_keeps_every_cosine_of_its_networks(pyramid: Pyramid, face: Detection, chip: Chip) -> None:
    embedder = Embedder(load_embedders()["fused-512"])
    chips = [chip, chip[:, ::-1].copy(), np.roll(chip, 9, axis=0)]
    features = np.stack([embedder.features(pyramid, face, one) for one in chips])
    embeddings = np.stack([embedder.project(one) for one in features])
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    assert np.abs(features @ features.T - embeddings @ embeddings.T).max() < 1e-4


def test_each_network_counts_by_its_weight(pyramid: Pyramid, face: Detection, chip: Chip) -> None:
    spec = load_embedders()["fused-512"]
    features = Embedder(spec).features(pyramid, face, chip)
    lengths = [float(np.linalg.norm(part)) for part in (features[:128], features[128:])]
    assert lengths == pytest.approx([backbone.weight for backbone in spec.backbones], rel=1e-5)


def test_a_short_output_without_a_head_is_filled_with_zeros(pyramid: Pyramid, face: Detection, chip: Chip) -> None:
    embedding = Embedder(alone("sface")).embed(pyramid, face, chip)
    assert embedding.shape == (512,)
    assert not embedding[128:].any()


def test_a_mirrored_network_does_not_see_which_side_is_which(pyramid: Pyramid, face: Detection, chip: Chip) -> None:
    embedder = Embedder(alone("mobilefacenet", mirrored=True))
    other = np.ascontiguousarray(chip[:, ::-1])
    cosine = embedder.embed(pyramid, face, chip) @ embedder.embed(pyramid, face, other)
    assert float(cosine) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("template", "size"), [("arcface", 112), ("box", 112)])
def test_a_network_gets_the_chip_that_it_asks_for(
    template: str, size: int, pyramid: Pyramid, face: Detection, chip: Chip
) -> None:
    spec = alone("mobilefacenet")
    preprocessing = spec.backbones[0].model.preprocessing
    assert preprocessing is not None
    model = replace(spec.backbones[0].model, preprocessing=replace(preprocessing, template=template, size=size))
    embedder = Embedder(replace(spec, backbones=(Backbone(model, 1.0, mirrored=False),)))
    blank = np.zeros_like(chip)
    ours = embedder.embed(pyramid, face, chip)
    assert np.array_equal(ours, embedder.embed(pyramid, face, blank)) == (template == "box")


def test_a_head_that_does_not_fit_its_networks_is_refused(pyramid: Pyramid, face: Detection, chip: Chip) -> None:
    spec = load_embedders()["fused-512"]
    with pytest.raises(ModelError, match="640"):
        Embedder(replace(spec, backbones=spec.backbones[:1])).embed(pyramid, face, chip)


def test_the_norm_is_the_length_of_what_the_network_said(pyramid: Pyramid, face: Detection, chip: Chip) -> None:
    said = open_network(load_specs()["sface"]).run(chip)
    _, norm = Embedder(alone("sface")).embed_with_norm(pyramid, face, chip)
    assert norm == pytest.approx(float(np.linalg.norm(said)), rel=1e-6)
    assert norm != pytest.approx(1)


def test_of_two_networks_the_norm_is_the_geometric_mean(pyramid: Pyramid, face: Detection, chip: Chip) -> None:
    both = load_embedders()["fused-512"]
    norms = [
        Embedder(replace(both, backbones=(one,), head=None)).embed_with_norm(pyramid, face, chip)[1]
        for one in both.backbones
    ]
    found, norm = Embedder(both).embed_with_norm(pyramid, face, chip)
    assert norm == pytest.approx(np.sqrt(norms[0] * norms[1]), rel=1e-6)
    assert found.tobytes() == Embedder(both).embed(pyramid, face, chip).tobytes()
