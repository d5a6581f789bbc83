"""The training of an adapter learns from some families and is judged by the others."""

import json
from pathlib import Path

import numpy as np
import pytest

from facealbum.domain.sides import is_held_out
from facealbum.errors import InvalidValueError
from facealbum.pipelines.step import Work
from facealbum.pipelines.trainings.files import write_collected
from facealbum.pipelines.trainings.space_adapter import TRAINING, SpaceAdapter
from models.adapter import Adapter
from tests.unit.eval.test_head_figures import data


def work(folder: Path, step: str, **parameters: float | str) -> Work:
    """A step after those that lie in the folder."""
    inputs = {one.name: one for one in sorted(folder.iterdir())}
    (folder / step).mkdir()
    return Work(inputs, folder / step, folder, {**TRAINING.defaults, **parameters}, 0, None, None, [].append)


def collected(folder: Path) -> None:
    """Made families in a space and in the same one turned."""
    made = data(families=24)
    turn, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((512, 512)))
    collecting = work(folder, "collect")
    labels = {name: getattr(made.faces, name) for name in ("families", "persons", "photos")}
    new = (made.faces.embeddings @ turn).astype(np.float32)
    terms = {
        "licence": np.array("free"),
        "research_only": np.array(False),
        "source": np.array("old"),
        "target": np.array("new"),
    }
    np.savez(collecting.out / "data.npz", old=made.faces.embeddings, new=new, **terms, **labels)
    write_collected(collecting, made, [str(one) for one in made.faces.families], query="made", ours=True)


def test_an_adapter_is_learnt_and_judged_by_other_families(tmp_path: Path) -> None:
    collected(tmp_path)
    TRAINING.split(work(tmp_path, "split"))
    TRAINING.train(work(tmp_path, "train", form="orthogonal"))
    TRAINING.evaluate(work(tmp_path, "evaluate"))
    TRAINING.plot(work(tmp_path, "plot"))
    about = json.loads((tmp_path / "train" / "model.json").read_text())
    assert (about["licence"], about["research_only"]) == ("free", False)
    found = Adapter.from_bytes((tmp_path / "train" / "model.bin").read_bytes())
    assert (found.kind, found.source, found.target, about["slot"]) == ("orthogonal", "old", "new", "adapter/old-new")
    figures = json.loads((tmp_path / "evaluate" / "metrics.json").read_text())
    held_out: list[str] = json.loads((tmp_path / "split" / "split.json").read_text())["held_out"]
    assert 0 < len(held_out) < 24
    names = json.loads((tmp_path / "split" / "split.json").read_text())["folds"]
    assert [one for one in [*names, *held_out] if is_held_out(one, found.held_out, seed=found.seed)] == held_out
    assert figures["neighbours_kept"]["n"] == 5 * 18 * len(held_out)
    assert figures["neighbours_kept"]["better"]
    assert (tmp_path / "plot" / "plots" / "metrics.png").stat().st_size > 0


def test_nobody_is_judged_where_nobody_is_held_out(tmp_path: Path) -> None:
    collected(tmp_path)
    SpaceAdapter().split(work(tmp_path, "split", held_out=0.0))
    TRAINING.train(work(tmp_path, "train"))
    with pytest.raises(InvalidValueError, match="held_out"):
        TRAINING.evaluate(work(tmp_path, "evaluate"))
