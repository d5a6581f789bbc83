"""Training put together, and its result as the array file that the registry pins."""

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.bounds import check_bounds
from facealbum.errors import InvalidValueError
from models.train.augment import Augment, unchanged
from models.train.batches import Batching, batches
from models.train.faces import LabelledFaces
from models.train.loss import Loss, contrastive
from models.train.model import linear
from models.train.start import ageless
from models.train.step import make_step

_POSITIVE = (np.nextafter(0, 1), float("inf"))
_MIN_PERSONS = 20  # of at least two faces: fewer would teach who they are, not how people change

Report = Callable[[int, float], None]
"""Is told the number of an epoch that is done, and its mean loss."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every part of training and its settings; epochs 0 leaves the head at its start."""

    epochs: int = 5
    learning_rate: float = 2e-4
    temperature: float = 0.07
    pull: float = 0.3
    batching: Batching = field(default_factory=Batching)
    start: Callable[[LabelledFaces], NDArray[np.float32]] = ageless
    augment: Augment = unchanged
    loss: Callable[[float], Loss] = contrastive

    def __post_init__(self) -> None:
        bounds = {"epochs": (0.0, 1e4), "pull": (0.0, float("inf"))}
        check_bounds(self, bounds | dict.fromkeys(("learning_rate", "temperature"), _POSITIVE))


_RECIPE = Recipe()


def train_head(
    faces: LabelledFaces, recipe: Recipe = _RECIPE, *, seed: int = 0, report: Report = lambda _epoch, _loss: None
) -> NDArray[np.float32]:
    """The map float32[512, 512] from the default space to that of the head; the same for the same faces and seed.

    Raises InvalidValueError if there are too few persons with several faces.
    """
    _, counts = np.unique(faces.persons, return_counts=True)
    if (counts > 1).sum() < _MIN_PERSONS:
        raise InvalidValueError(
            f"at least {_MIN_PERSONS} persons must have two faces or more, got {(counts > 1).sum()}; confirm more faces"
        )
    start = recipe.start(faces)
    return start @ _learn(faces, start, recipe, seed=seed, report=report) if recipe.epochs else start


def _learn(
    faces: LabelledFaces, start: NDArray[np.float32], recipe: Recipe, *, seed: int, report: Report
) -> NDArray[np.float32]:
    """What is applied after the start: float32[512, 512], the identity before the first step."""
    import keras  # noqa: PLC0415 - only training pays for it

    draw = np.random.default_rng(seed)
    embeddings = faces.embeddings @ start
    steps = sum(1 for _ in batches(faces, recipe.batching, np.random.default_rng(0))) * recipe.epochs
    model = linear(np.eye(len(start), dtype=np.float32), pull=recipe.pull)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    step = make_step(model, recipe.loss(recipe.temperature), keras.optimizers.AdamW(rate, weight_decay=0.0))
    for epoch in range(recipe.epochs):
        losses = []
        for rows in batches(faces, recipe.batching, draw):
            persons = faces.persons[rows]
            augmented = recipe.augment(embeddings[rows], persons, draw)
            losses.append(float(step(augmented, persons, faces.photos[rows])))
        report(epoch + 1, float(np.mean(losses)))
    (weights,) = model.get_weights()
    result: NDArray[np.float32] = weights
    return result


def head_file(first: NDArray[np.float32], trained: NDArray[np.float32]) -> bytes:
    """The array file of a head: float16[features, 512], the default space's head, then what was trained on it."""
    file = BytesIO()
    np.save(file, (first @ trained).astype(np.float16), allow_pickle=False)
    return file.getvalue()
