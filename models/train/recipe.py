"""The one pattern by which every model here is trained: a recipe of parts that are exchanged one at a time.

    preprocess -> batches -> augment -> model -> loss -> step by the optimiser

The same data, recipe and seed give the same model bit for bit on one kind of machine, whether training went through or
was killed and resumed from its checkpoint.  It needs the extra `train`.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from facealbum.errors import InvalidValueError
from models.quiet import load_keras
from models.train.augment import unchanged
from models.train.checkpoint import Progress, load_checkpoint, save_checkpoint
from models.train.parts import Augment, Batches, Columns, Keras, Loss, MakeStep, Model, Optimiser
from models.train.step import descend

Data = TypeVar("Data")
Fitted = TypeVar("Fitted", bound=Callable[..., Columns])

Report = Callable[[int, float], None]
"""Is told the number of an epoch that is done and kept, and its mean loss."""


@dataclass(frozen=True)
class Recipe(Generic[Data, Fitted]):
    """Every part of a training; `dataclasses.replace` exchanges one.

    preprocess: learns from the data what is done to any data before the model sees it.
    """

    preprocess: Callable[[Data], Fitted]
    batches: Batches
    model: Model
    loss: Loss
    optimiser: Optimiser
    epochs: int
    augment: Augment = unchanged
    step: MakeStep = descend

    def __post_init__(self) -> None:
        if not 0 <= self.epochs <= 10_000:  # noqa: PLR2004 - far more than any training here takes
            raise InvalidValueError(f"epochs must be from 0 to 10000, got {self.epochs}")


@dataclass(frozen=True, eq=False)
class Trained(Generic[Fitted]):
    """What was learnt: the preprocessing, the Keras model behind it, and the mean loss of each epoch."""

    fitted: Fitted
    model: Keras
    losses: tuple[float, ...]


def train(
    recipe: Recipe[Data, Fitted],
    data: Data,
    *,
    seed: int = 0,
    checkpoint: Path | None = None,
    report: Report = lambda _epoch, _loss: None,
) -> Trained[Fitted]:
    """Train a model by the recipe; raises ModelError without TensorFlow.

    checkpoint: a file of this recipe's own, written after every epoch; training goes on from what it holds, unless
    that is of other data, another seed or another number of epochs.
    """
    fitted = recipe.preprocess(data)
    columns = fitted(data)
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    model = recipe.model(columns)
    steps = recipe.epochs * sum(1 for _ in recipe.batches(columns, np.random.default_rng(0)))
    optimiser = recipe.optimiser(steps)
    optimiser.build(model.trainable_variables)
    progress = Progress(model, optimiser, np.random.default_rng(seed))
    identity = _identity(columns, recipe.epochs, seed)
    if checkpoint is not None:
        load_checkpoint(checkpoint, progress, identity=identity)
    step = recipe.step(model, recipe.loss, optimiser)
    while len(progress.losses) < recipe.epochs:
        losses = []
        for rows in recipe.batches(columns, progress.draw):
            batch = {name: column[rows] for name, column in columns.items()}
            losses.append(float(step(recipe.augment(batch, progress.draw))))
        progress.losses.append(float(np.mean(losses)))
        if checkpoint is not None:
            save_checkpoint(checkpoint, progress, identity=identity)
        report(len(progress.losses), progress.losses[-1])
    return Trained(fitted, model, tuple(progress.losses))


def _identity(columns: Columns, epochs: int, seed: int) -> str:
    """Differs for other columns, epochs or seed."""
    digest = hashlib.sha256(json.dumps([epochs, seed]).encode())
    for name, column in sorted(columns.items()):
        digest.update(f"{name} {column.dtype} {column.shape}".encode())
        digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()
