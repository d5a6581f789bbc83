"""The training of a head goes from faces to a space, figures and plots, and twice gives the same."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from facealbum.errors import InvalidValueError
from facealbum.pipelines.dataset import Item, Manifest
from facealbum.pipelines.step import Work
from facealbum.pipelines.trainings.embedding_head import TRAINING
from models.heads import save_head
from tests.unit.eval.test_head_figures import data


def work(folder: Path, step: str, **parameters: int | str) -> Work:
    """A step after those that lie in the folder."""
    inputs = {one.name: one for one in sorted(folder.iterdir()) if one.is_dir()}
    out, scratch = folder / step, folder.parent / f"{folder.name}-{step}-scratch"
    out.mkdir()
    scratch.mkdir(exist_ok=True)
    chosen = {**TRAINING.defaults, "split_folds": 4, "epochs": 1, **parameters}
    return Work(inputs, out, scratch, chosen, 0, None, None, [].append)


def collected(folder: Path, *, ours: bool) -> None:
    """What collecting leaves, of made families."""
    (folder / "collect").mkdir(parents=True)
    made = data(families=24)
    made.save(folder / "collect" / "data.npz")
    digests = [hashlib.sha256(embedding.tobytes()).hexdigest() for embedding in made.faces.embeddings]
    families = [f"family {number}" for number in made.faces.families]
    items = tuple(map(Item, made.ids.tolist(), digests, families, families if ours else [None] * len(made)))
    Manifest("made", items).write(folder / "collect")


def test_from_faces_to_a_space_of_its_own_with_figures_and_plots(tmp_path: Path) -> None:
    run = tmp_path / "run"
    collected(run, ours=True)
    TRAINING.split(work(run, "split"))
    TRAINING.train(work(run, "train"))
    TRAINING.evaluate(work(run, "evaluate"))
    TRAINING.plot(work(run, "plot"))
    about = json.loads((run / "train" / "model.json").read_text())
    space = save_head(tmp_path / "models", about["name"], (run / "train" / "model.bin").read_bytes())
    assert about["name"] == f"own-head-{space.head.sha256[:8]}"  # type: ignore[union-attr]
    assert (about["research_only"], space.research_only) == (False, False)
    assert about["similarity"] == space.similarity
    figures = json.loads((run / "evaluate" / "metrics.json").read_text())
    assert figures["children_tar_far_1"]["better"]
    assert figures["children_tar_far_1"]["value"] > figures["children_tar_far_1"]["baseline"]["value"]
    assert sorted(one.name for one in (run / "plot" / "plots").iterdir()) == ["metrics.png", "slices.png"]


def test_the_same_faces_give_the_same_files_and_those_of_others_are_for_research_only(tmp_path: Path) -> None:
    found = []
    for name in ("first", "second"):
        collected(tmp_path / name, ours=False)
        TRAINING.split(work(tmp_path / name, "split"))
        TRAINING.train(work(tmp_path / name, "train", epochs=0))
        found.append({one.name: one.read_bytes() for one in (tmp_path / name / "train").iterdir()})
    assert found[0] == found[1]
    assert json.loads(found[0]["model.json"])["research_only"]


def test_a_training_that_was_cut_short_learns_no_head_twice(tmp_path: Path) -> None:
    run = tmp_path / "run"
    collected(run, ours=True)
    TRAINING.split(work(run, "split"))
    first = work(run, "train", epochs=0)
    marked = np.eye(512, dtype=np.float32)
    np.save(first.scratch / "without-0-1.npy", marked)
    TRAINING.train(first)
    with np.load(run / "train" / "twins.npz") as twins:
        np.testing.assert_array_equal(twins["0-1"], marked)
        assert not np.array_equal(twins["0-2"], marked)


def test_a_source_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(InvalidValueError, match="bench:FOLDER"):
        TRAINING.collect(work(tmp_path / "run", "collect"))
