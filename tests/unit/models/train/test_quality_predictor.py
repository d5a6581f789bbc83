"""A predictor of quality is learnt from how often stored faces match, and is judged by groups that it has not seen."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.rated_faces import PRIMARY, Rated, judge_quality
from facealbum.domain.faces import Box, Face
from facealbum.errors import InvalidValueError, ModelError
from facealbum.pipelines.dataset import Item, Manifest
from facealbum.pipelines.step import Work
from facealbum.pipelines.training import load_training
from models.quality_predictor import LOOKS, TERMS, QualityPredictor, looks_of, stored_terms
from models.train.quality_predictor import quality_recipe, train_quality

pytest.importorskip("keras")

TRAINING = load_training("quality_predictor")
STEPS = ("split", "train", "evaluate", "plot")


def faces(count: int = 240) -> Rated:
    """Faces that match by their height in pixels, of which the packaged quality knows nothing."""
    draw = np.random.default_rng(0)
    terms = draw.normal(size=(count, len(TERMS))).astype(np.float32)
    return Rated(
        terms=terms,
        quality=draw.uniform(0.3, 0.9, count).astype(np.float32),
        matches=(terms[:, 1] > 0).astype(np.float32),
        ids=np.array([f"face {number}" for number in range(count)]),
        groups=np.array([f"family {number % 24}" for number in range(count)]),
        sources=np.array(["one", "other"])[np.arange(count) % 2],
        embeddings=np.eye(count, dtype=np.float32),
    )


def run(root: Path) -> Path:
    """Every step behind collecting, as a pipeline runs them."""
    one = faces()
    (root / "collect").mkdir(parents=True)
    one.save(root / "collect" / "data.npz")
    items = tuple(Item(name, name, group) for name, group in zip(one.ids.tolist(), one.groups.tolist(), strict=True))
    Manifest("drawn", items).write(root / "collect")
    inputs = {"collect": root / "collect"}
    for name in STEPS:
        out, scratch = root / name, root / "scratch" / name
        for folder in (out, scratch):
            folder.mkdir(parents=True)
        chosen = {**TRAINING.defaults, "epochs": 20, "learning_rate": 0.1}
        getattr(TRAINING, name)(Work(inputs, out, scratch, chosen, 0, "bench:nowhere", None, lambda _: None))
        inputs = inputs | {name: out}
    return root


def test_what_foretells_matches_is_found_and_shown_on_unseen_groups(tmp_path: Path) -> None:
    root = run(tmp_path)
    metrics = json.loads((root / "evaluate" / "metrics.json").read_text())
    assert all(one["better"] and one["n"] == len(faces().terms) for one in metrics.values())
    assert metrics[PRIMARY]["value"] < metrics[PRIMARY]["baseline"]["value"]
    assert metrics["auc"]["value"] > 0.85 > metrics["auc"]["baseline"]["value"]
    assert set(json.loads((root / "evaluate" / "slices.json").read_text())) == {"one", "other"}
    found = QualityPredictor.read((root / "train" / "model.bin").read_bytes())
    assert np.argmax(found.weights) == 1
    assert json.loads((root / "train" / "model.json").read_text())["research_only"]
    assert (root / "plot" / "plots" / "quality.png").stat().st_size > 0


def test_the_same_quality_is_no_better() -> None:
    figures, _ = judge_quality(faces(), faces().quality.astype(np.float64))
    assert {name: (one.difference.value, one.better) for name, one in figures.items()} == dict.fromkeys(
        figures, (0, None)
    )


def test_a_file_holds_all_of_a_predictor() -> None:
    one = QualityPredictor(-1.0, tuple(0.1 * number for number in range(len(TERMS))))
    assert QualityPredictor.read(one.content()) == one
    odds = -1.0 + sum(0.1 * number * 2.0 for number in range(len(TERMS)))
    assert one.predict(np.full((1, len(TERMS)), 2, np.float32)) == pytest.approx(1 / (1 + np.exp(-odds)))
    for wrong in (b"", b"{}", b'{"level": 0, "weights": [1]}', b'{"level": null, "weights": []}'):
        with pytest.raises(ModelError):
            QualityPredictor.read(wrong)


def test_a_face_is_rated_alone_as_among_others() -> None:
    looks = np.abs(np.random.default_rng(0).normal(scale=40, size=(37, len(LOOKS)))).astype(np.float32)
    looks[:, [0, 5]] %= 1
    one = QualityPredictor(-1.0, tuple(0.1 * number for number in range(len(TERMS))))
    together = one.predict(stored_terms(looks))
    assert [one.predict(stored_terms(looks[row : row + 1])).item() for row in range(37)] == together.tolist()


def test_the_terms_are_finite_for_any_face() -> None:
    for extreme in (0.0, 1.0):
        face = Face(
            box=Box(0, 0, 0, 0),
            landmarks=np.zeros((5, 2), np.float32),
            yaw=-90,
            pitch=0,
            roll=180,
            age=0,
            p_female=extreme,
            quality=extreme,
            score=extreme,
            embedding=np.zeros(512, np.float32),
        )
        (terms,) = stored_terms(np.array([looks_of(face)], np.float32))
        assert np.isfinite(terms).all()
        assert terms[2:5].tolist() == [3, 0, 6]


def test_what_is_measured_from_another_zero_teaches_the_same() -> None:
    one, recipe = faces().rated(), quality_recipe(epochs=3, learning_rate=0.1)
    moved = replace(one, terms=one.terms + np.arange(len(TERMS), dtype=np.float32))
    found, again = (train_quality(some, recipe).predict(some.terms) for some in (one, moved))
    assert np.ptp(found) > 0.1
    assert again == pytest.approx(found, abs=1e-4)


def test_too_few_faces_and_other_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="20 faces"):
        train_quality(faces().rated().only(np.arange(240) < 19))
    work = Work({}, tmp_path, tmp_path, TRAINING.defaults, 0, "confirmed", None, lambda _: None)
    with pytest.raises(InvalidValueError, match="bench:FOLDER"):
        TRAINING.collect(work)
