"""Only the weights that the manifest names are ever used."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facealbum.errors import ModelError
from models.convert.sources import load_sources
from models.registry import FOLDER, Head, Preprocessing, load_embedders, load_specs


@pytest.fixture
def packaged(tmp_path: Path) -> Path:
    """A copy of the manifest with the smallest weights."""
    (tmp_path / "weights").mkdir()
    shutil.copy(FOLDER / "manifest.json", tmp_path)
    shutil.copy(load_specs()["detector"].file, tmp_path / "weights")
    return tmp_path


def test_every_model_has_checked_weights_a_licence_and_a_source() -> None:
    specs = load_specs()
    assert set(specs) == {"detector", "landmarks", "sface", "mobilefacenet", "age_gender", "age", "gender"}
    assert [source.role for source in load_sources()] == list(specs)
    for spec in specs.values():
        assert spec.read()
        assert spec.licence_file.read_text(encoding="utf-8").strip()
        assert spec.version in spec.file.name


def test_every_packaged_space_names_its_networks_head_and_licence() -> None:
    specs, embedders = load_specs(), load_embedders()
    assert next(iter(embedders)) == "fused-512"
    for space, embedder in embedders.items():
        assert embedder.space == space
        assert embedder.licence
        assert all(backbone.model == specs[backbone.model.role] for backbone in embedder.backbones)
        assert embedder.head is not None
        assert embedder.head.read().shape == (128 + 512, 512)


def test_the_default_space_is_free_for_every_use() -> None:
    assert not next(iter(load_embedders().values())).research_only


def test_a_changed_head_is_refused(tmp_path: Path) -> None:
    head = load_embedders()["fused-512"].head
    assert head is not None
    damaged = tmp_path / head.file.name
    damaged.write_bytes(head.file.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="sha256"):
        replace(head, file=damaged).read()


def test_a_head_that_is_no_array_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "head.npy"
    file.write_bytes(b"no array")
    with pytest.raises(ModelError, match="array"):
        Head(file, hashlib.sha256(b"no array").hexdigest(), "test-1").read()


def test_changed_weights_are_refused(packaged: Path) -> None:
    spec = load_specs(packaged)["detector"]
    spec.file.write_bytes(spec.read()[:-1] + b"x")
    with pytest.raises(ModelError, match="sha256"):
        spec.read()


def test_missing_weights_are_refused(packaged: Path) -> None:
    with pytest.raises(ModelError, match="reinstall"):
        load_specs(packaged)["sface"].read()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"models": {"detector": {}}}'])
def test_a_useless_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"manifest\.json"):
        load_specs(tmp_path)


def test_the_manifest_names_no_host() -> None:
    assert "://" not in json.dumps(json.loads((FOLDER / "manifest.json").read_bytes()))


def test_preprocessing_orders_colours_before_it_scales() -> None:
    chip = np.zeros((2, 2, 3), np.uint8)
    chip[...] = 10, 20, 30
    bgr = Preprocessing(2, "bgr", (1, 2, 3), (1, 2, 4)).apply(chip)
    assert bgr.dtype == np.float32
    assert bgr[0, 0, 0].tolist() == [29, 9, 1.75]
