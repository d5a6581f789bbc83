"""A calibrator is trained on registered children in confirmed albums, judged by families unseen, and serves an arm."""

import json
from pathlib import Path

import numpy as np
import pytest

from eval.estimate_figures import PRIMARY
from facealbum.domain.ids import family_id
from facealbum.errors import InvalidValueError
from facealbum.pipelines.dataset import Manifest, Split
from facealbum.pipelines.step import Values, Work
from facealbum.pipelines.training import load_training
from facealbum.steps.arms import create_arm
from facealbum.steps.context import Context
from facealbum.steps.registry import NewModel, register_model
from models.calibrator import Calibrator
from tests.integration.album import add_linked

pytest.importorskip("keras")

FAMILIES = tuple(f"Family {number}" for number in range(6))
STEPS = ("collect", "split", "train", "evaluate", "plot")
QUICK = {"folds": 2, "epochs": 2}
TRAINING = load_training("calibrator")


@pytest.fixture
def albums(context: Context) -> Context:
    """Six families, of each a person linked to a child born in 2020."""
    add_linked(context, FAMILIES)
    return context


def run(
    context: Context, root: Path, parameters: Values = QUICK, *, source: str = "confirmed", through: str = "plot"
) -> Path:
    """Every step up to this one, one after the other, as a pipeline runs them."""
    inputs: dict[str, Path] = {}
    for name in STEPS[: STEPS.index(through) + 1]:
        out, scratch = root / name, root / "scratch" / name
        for folder in (out, scratch):
            folder.mkdir(parents=True)
        chosen = {**TRAINING.defaults, **parameters}
        getattr(TRAINING, name)(Work(inputs, out, scratch, chosen, 0, source, context, lambda _: None))
        inputs = inputs | {name: out}
    return root


def test_a_training_on_confirmed_albums_ends_in_an_arm(albums: Context, tmp_path: Path) -> None:
    root = run(albums, tmp_path / "run")
    manifest = Manifest.read(root / "collect")
    assert set(manifest.families) == {str(family_id(name)) for name in FAMILIES}
    with np.load(root / "collect" / "data.npz") as data:
        assert data["years"] == pytest.approx(6, abs=0.1)
        assert np.isnan(data["female"]).any()
        assert len(data["ages"]) == len(manifest.items)
    about = json.loads((root / "train" / "model.json").read_text())
    assert not about["research_only"]
    content = (root / "train" / "model.bin").read_bytes()
    assert Calibrator.read(content).error()["error_freedom"] > 1
    model = register_model(
        albums,
        NewModel(TRAINING.kind, about["name"], content, about["licence"], research_only=False, source="training"),
    )
    arm = create_arm(albums, "trained", algorithm="constrained", calibrator=model.label, author="ann")
    assert arm.parameters["calibrator"] == model.sha256
    assert {path.name for path in (root / "plot" / "plots").iterdir()} == {"age.png", "gender.png"}


def test_each_face_is_judged_by_a_twin_that_has_not_seen_its_family(albums: Context, tmp_path: Path) -> None:
    root = run(albums, tmp_path / "run", through="evaluate")
    split, manifest = Split.read(root / "split"), Manifest.read(root / "collect")
    metrics = json.loads((root / "evaluate" / "metrics.json").read_text())
    assert metrics[PRIMARY]["n"] == len(manifest.items)
    with np.load(root / "collect" / "data.npz") as data:
        off = np.abs(data["ages"] - data["years"]).mean()
    assert metrics[PRIMARY]["baseline"]["value"] == pytest.approx(off, rel=1e-4)
    folds = {split.side(item.group) for item in manifest.items}
    twins = {Calibrator.read(path.read_bytes()).sha256 for path in (root / "train").glob("twin-*.json")}
    assert len(twins) == len(folds) > 1
    slices = json.loads((root / "evaluate" / "slices.json").read_text())
    assert {"female", "male", "years 6-12"} <= slices.keys() | {"years 3-5"}
    assert all(PRIMARY in some for some in slices.values())


def test_the_same_albums_give_the_same_bytes(albums: Context, tmp_path: Path) -> None:
    one, other = (run(albums, tmp_path / name, through="train") for name in ("one", "other"))
    for name in ("model.bin", "model.json", "twin-0.json", "twin-1.json"):
        assert (one / "train" / name).read_bytes() == (other / "train" / name).read_bytes()


def test_without_registered_children_there_is_nothing_to_learn_from(context: Context, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="registered children"):
        run(context, tmp_path / "run")
    with pytest.raises(InvalidValueError, match="bench:FOLDER"):
        run(context, tmp_path / "other", source="elsewhere")
