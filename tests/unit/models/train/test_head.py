"""Training separates people and is the same every time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facealbum.errors import InvalidValueError
from models.registry import load_embedders
from models.train.__main__ import main
from models.train.head import head_recipe, train_head
from tests.unit.models.train.album import growing_families, separation

LEARN = """
import json, sys
import numpy as np
from tests.unit.models.train.album import growing_families
from models.train.head import head_recipe, train_head
losses = []
heads = [
    train_head(growing_families(), head_recipe(epochs=4), seed=seed, report=lambda _epoch, loss: losses.append(loss))
    for seed in (1, 1, 2)
]
np.save(sys.argv[1], heads[0])
print(json.dumps([losses, heads[0].tobytes() == heads[1].tobytes(), heads[0].tobytes() == heads[2].tobytes()]))
"""


def test_training_lowers_the_loss_separates_people_and_repeats_itself(tmp_path: Path) -> None:
    """In a process of its own: TensorFlow warns about itself, and stays loaded."""
    out = tmp_path / "head.npy"
    done = subprocess.run(
        [sys.executable, "-c", LEARN, str(out)],
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[4])},
    )
    losses, same, other = json.loads(done.stdout)
    faces, head = growing_families(seed=4), np.load(out)
    assert losses[3] < losses[0]
    assert same
    assert not other
    assert separation(faces.embeddings @ head, faces.persons) > 2 * separation(faces.embeddings, faces.persons)


def test_too_few_people_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="20 persons"):
        train_head(growing_families(families=5))


@pytest.mark.parametrize("wrong", [{"epochs": -1}, {"temperature": 0.0}, {"pull": -1.0}, {"learning_rate": 0.0}])
def test_a_recipe_out_of_bounds_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidValueError, match=next(iter(wrong))):
        head_recipe(**wrong)  # type: ignore[arg-type]


def test_the_command_writes_a_head_that_fits_the_default_networks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces, out = tmp_path / "faces.npz", tmp_path / "head.npy"
    growing_families().save(faces)
    assert main([str(faces), "--out", str(out), "--epochs", "0"]) == 0
    assert "216 faces" in capsys.readouterr().out
    default = load_embedders()["fused-512"].head
    assert default is not None
    assert np.load(out).shape == default.read().shape


def test_the_command_says_what_is_wrong_with_its_faces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nowhere.npz"), "--out", str(tmp_path / "head.npy")]) == 1
    assert "nowhere.npz" in capsys.readouterr().err
