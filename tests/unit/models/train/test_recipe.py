"""Any part of a recipe is exchanged alone, and a training that is killed ends as if it had not been."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facealbum.errors import InvalidValueError
from models.train.batches import Shuffled
from models.train.optimiser import adamw
from models.train.parts import Columns, Keras, Loss, Model, Rows, Step, Tensor
from models.train.recipe import Recipe, Trained, train
from models.train.step import descend

Line = Recipe[np.ndarray, "Shifted"]


class Shifted:
    """Preprocessing: the mean is taken out."""

    def __init__(self, points: np.ndarray) -> None:
        self.mean = points.mean(axis=0)

    def __call__(self, points: np.ndarray) -> Columns:
        return {"inputs": (points - self.mean)[:, :3], "targets": points[:, 3:]}


class Doubled(Shifted):
    """Twice as far from the mean."""

    def __call__(self, points: np.ndarray) -> Columns:
        columns = super().__call__(points)
        return {**columns, "inputs": 2 * columns["inputs"]}


def distances(power: int) -> Loss:
    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        import keras  # noqa: PLC0415 - collecting tests imports no TensorFlow

        return keras.ops.mean(keras.ops.abs(outputs - batch["targets"]) ** power)

    return loss


def line(forgetting: float) -> Model:
    """A linear layer; what is forgotten the model draws itself."""

    def model(columns: Columns) -> Keras:
        import keras  # noqa: PLC0415 - collecting tests imports no TensorFlow

        layers = [keras.layers.Dropout(forgetting), keras.layers.Dense(1)]
        return keras.Sequential([keras.Input(columns["inputs"].shape[1:]), *layers])

    return model


def noisy(batch: Columns, draw: np.random.Generator) -> Columns:
    noise = draw.standard_normal(batch["inputs"].shape).astype(np.float32)
    return {**batch, "inputs": batch["inputs"] + noise}


def in_order(columns: Columns, draw: np.random.Generator) -> Iterator[Rows]:
    del draw
    yield from np.array_split(np.arange(len(columns["inputs"])), 4)


def twice(model: Keras, loss: Loss, optimiser: Keras) -> Step:
    """Every batch is learnt from twice."""
    once = descend(model, loss, optimiser)

    def step(batch: Columns) -> Tensor:
        once(batch)
        return once(batch)

    return step


RECIPE = Line(
    preprocess=Shifted, batches=Shuffled(16), model=line(0.2), loss=distances(2), optimiser=adamw(0.1), epochs=4
)


def points() -> np.ndarray:
    draw = np.random.default_rng(4)
    given = draw.standard_normal((64, 3))
    return np.column_stack([given, given @ [1.0, -2.0, 0.5] + 3]).astype(np.float32)


def learnt(trained: Trained[Any]) -> bytes:
    return b"".join(np.asarray(weights).tobytes() for weights in trained.model.get_weights())


def test_the_same_seed_gives_the_same_bits_and_another_other_ones() -> None:
    first, again, other = (learnt(train(RECIPE, points(), seed=seed)) for seed in (5, 5, 6))
    assert first == again
    assert first != other


@pytest.fixture(scope="module")
def as_it_is() -> bytes:
    """What the recipe gives with no part exchanged."""
    return learnt(train(RECIPE, points()))


@pytest.mark.parametrize(
    "part",
    [
        {"preprocess": Doubled},
        {"augment": noisy},
        {"batches": in_order},
        {"model": line(0.0)},
        {"loss": distances(1)},
        {"optimiser": adamw(0.2)},
        {"step": twice},
        {"epochs": 3},
    ],
    ids=lambda part: next(iter(part)),
)
def test_each_part_is_exchanged_alone(part: dict[str, Any], as_it_is: bytes) -> None:
    after = train(replace(RECIPE, **part), points())
    assert learnt(after) != as_it_is
    assert len(after.losses) == part.get("epochs", 4)
    assert after.losses[-1] < after.losses[0]


def test_a_training_killed_after_any_epoch_ends_with_the_same_bits(tmp_path: Path) -> None:
    whole = train(RECIPE, points(), seed=7)
    checkpoint = tmp_path / "line.checkpoint"
    die = (
        "import os, signal\n"
        "from models.train.recipe import train\n"
        "from tests.unit.models.train.test_recipe import RECIPE, points\n"
        "from pathlib import Path\n"
        f"train(RECIPE, points(), seed=7, checkpoint=Path({str(checkpoint)!r}),\n"
        "      report=lambda epoch, loss: epoch == 2 and os.kill(os.getpid(), signal.SIGKILL))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[4])}
    killed = subprocess.run([sys.executable, "-c", die], check=False, capture_output=True, env=environment)
    assert killed.returncode == -signal.SIGKILL
    seen: list[int] = []
    resumed = train(RECIPE, points(), seed=7, checkpoint=checkpoint, report=lambda epoch, _loss: seen.append(epoch))
    assert seen == [3, 4]
    assert resumed.losses == whole.losses
    assert learnt(resumed) == learnt(whole)


def test_a_checkpoint_of_another_training_is_passed_over(tmp_path: Path) -> None:
    checkpoint = tmp_path / "line.checkpoint"
    train(RECIPE, points(), seed=1, checkpoint=checkpoint)
    assert learnt(train(RECIPE, points(), seed=2, checkpoint=checkpoint)) == learnt(train(RECIPE, points(), seed=2))
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("content", [b"", b"something else", b"PK\3\4cut short"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    checkpoint = tmp_path / "line.checkpoint"
    checkpoint.write_bytes(content)
    with pytest.raises(InvalidValueError, match=r"line\.checkpoint"):
        train(RECIPE, points(), checkpoint=checkpoint)


@pytest.mark.parametrize("epochs", [-1, 10_001])
def test_epochs_out_of_bounds_are_refused(epochs: int) -> None:
    with pytest.raises(InvalidValueError, match="epochs"):
        replace(RECIPE, epochs=epochs)
