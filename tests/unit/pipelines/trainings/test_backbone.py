"""A backbone is trained from pictures, on whatever device there is, and judged by people held out."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facealbum.errors import InvalidValueError
from facealbum.pipelines.step import Work
from facealbum.pipelines.trainings.backbone import TRAINING
from facealbum.pipelines.trainings.files import write_collected
from models.network import open_network
from models.train.backbone import AsTheyAre, Chips, as_network, backbone_recipe, choose_precision, mirrored
from models.train.recipe import train
from models.trained_network import save_network
from tests.unit.eval.test_head_figures import data

SIDE = 16


def work(folder: Path, step: str, lines: list[str], **parameters: float | str) -> Work:
    """A step after those that lie in the folder."""
    inputs = {one.name: one for one in sorted(folder.iterdir())}
    (folder / step).mkdir()
    chosen = {**TRAINING.defaults, "width": 4, "epochs": 1, "batch": 64, **parameters}
    return Work(inputs, folder / step, folder, chosen, 0, None, None, lines.append)


def chips(count: int = 64) -> Chips:
    """Pictures whose colour says who is shown."""
    draw = np.random.default_rng(3)
    colours = draw.integers(0, 256, (count, 1, 1, 3))
    pixels = np.clip(colours + draw.integers(-20, 20, (count, SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    embeddings = np.zeros((count, 512), np.float32)
    embeddings[:, :3] = colours.reshape(count, 3) - 127
    return Chips(pixels, embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True))


def test_from_pictures_to_weights_and_figures(tmp_path: Path) -> None:
    lines: list[str] = []
    made = data()
    collecting = work(tmp_path, "collect", lines)
    made.save(collecting.out / "data.npz")
    np.save(collecting.out / "pixels.npy", chips(len(made)).pixels)
    write_collected(collecting, made, [str(one) for one in made.faces.families], query="made", ours=False)
    for step in (TRAINING.split, TRAINING.train, TRAINING.evaluate):
        step(work(tmp_path, step.__name__, lines))
    about = json.loads((tmp_path / "train" / "model.json").read_text())
    assert f"training on the {about['device']}" in lines
    assert about["research_only"]
    figures = json.loads((tmp_path / "evaluate" / "metrics.json").read_text())
    assert figures["children_tar_far_1"]["better"] is not True  # colours tell nothing of these people


def test_nobody_is_judged_where_nobody_is_held_out(tmp_path: Path) -> None:
    made, collecting = data(families=4), work(tmp_path, "collect", [])
    write_collected(collecting, made, [str(one) for one in made.faces.families], query="made", ours=False)
    TRAINING.split(work(tmp_path, "split", [], split_held_out=0.0))
    with pytest.raises(InvalidValueError, match="split_held_out"):
        TRAINING.evaluate(work(tmp_path, "evaluate", []))


def test_half_precision_learns_too_and_is_another_optimiser_alone() -> None:
    recipe = backbone_recipe(epochs=3, width=4, batch=16, learning_rate=0.01)
    half = choose_precision(recipe, half=True)
    assert replace(half, optimiser=recipe.optimiser) == recipe
    losses = train(half, chips()).losses
    whole = train(choose_precision(recipe, half=False), chips()).losses
    assert losses[-1] < losses[0]
    assert whole[-1] < whole[0]
    assert losses != whole


def test_what_serves_says_what_was_trained_and_is_the_same_again(tmp_path: Path) -> None:
    made = chips()
    trained = train(backbone_recipe(epochs=1, width=4, batch=16), made).model
    expected = trained.predict(made.pixels, verbose=0)
    content, again = (as_network(trained, width=4, side=SIDE) for _ in range(2))
    assert content == again
    spec = save_network(tmp_path, "ours-1", content, licence="CC0-1.0", research_only=False)
    network = open_network(spec.backbones[0].model)
    found = np.array([network.run(chip) for chip in made.pixels])
    assert (found * expected).sum(axis=1).min() > 0.999
    assert (spec.space, spec.research_only, network.size) == ("ours-1", False, SIDE)


def test_a_mirrored_face_keeps_its_label() -> None:
    batch = AsTheyAre(chips())(chips())
    found = mirrored(batch, np.random.default_rng(1))
    turned = (found["inputs"] != batch["inputs"]).any(axis=(1, 2, 3))
    assert 0 < turned.sum() < len(turned)
    np.testing.assert_array_equal(found["inputs"][turned], batch["inputs"][turned][:, :, ::-1])
    assert found["targets"] is batch["targets"]


def test_confirmed_albums_lend_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="bench:FOLDER"):
        TRAINING.collect(replace(work(tmp_path, "collect", []), source="confirmed"))
