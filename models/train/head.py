"""The recipe of a head: a linear map of the default space that tells children apart as they grow.

The start is a closed form and does most of it; contrast, with whole families as batches, does the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facealbum.errors import InvalidValueError
from models.train.augment import unchanged
from models.train.batches import WholeFamilies
from models.train.faces import LabelledFaces
from models.train.loss import contrastive
from models.train.model import near_identity
from models.train.optimiser import adamw
from models.train.parts import Augment, Batches, Columns
from models.train.recipe import Recipe, Report, train
from models.train.start import ageless

MIN_PERSONS = 20  # of at least two faces: fewer would teach who they are, not how people change

Matrix = NDArray[np.float32]
"""float32[512, 512]"""


def count_known(faces: LabelledFaces) -> int:
    """How many persons have two faces or more."""
    _, counts = np.unique(faces.persons, return_counts=True)
    return int((counts > 1).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Projected:
    """Faces by what is left of their embeddings: the preprocessing of a head."""

    matrix: Matrix

    @classmethod
    def learn(cls, faces: LabelledFaces, start: Callable[[LabelledFaces], Matrix]) -> "Projected":
        """By the start that these faces give; raises InvalidValueError if too few persons have several faces."""
        several = count_known(faces)
        if several < MIN_PERSONS:
            raise InvalidValueError(
                f"at least {MIN_PERSONS} persons must have two faces or more, got {several}; confirm more faces"
            )
        return cls(start(faces))

    def __call__(self, faces: LabelledFaces) -> Columns:
        """Inputs float32[n, 512], and the labels."""
        labels = {name: getattr(faces, name) for name in ("families", "persons", "photos", "ages")}
        return {"inputs": faces.embeddings @ self.matrix, **labels}


HeadRecipe = Recipe[LabelledFaces, Projected]

_FAMILIES = WholeFamilies()


def head_recipe(  # noqa: PLR0913 - each is one setting of one part
    *,
    epochs: int = 5,
    learning_rate: float = 2e-4,
    temperature: float = 0.07,
    pull: float = 0.3,
    start: Callable[[LabelledFaces], Matrix] = ageless,
    augment: Augment = unchanged,
    batches: Batches = _FAMILIES,
) -> HeadRecipe:
    """The recipe of the packaged head; epochs 0 leaves it at its start.  Raises InvalidValueError."""
    for name, value in (("learning_rate", learning_rate), ("temperature", temperature)):
        if not 0 < value < float("inf"):
            raise InvalidValueError(f"{name} must be above 0, got {value}")
    if not 0 <= pull < float("inf"):
        raise InvalidValueError(f"pull must be 0 or more, got {pull}")
    return Recipe(
        preprocess=partial(Projected.learn, start=start),
        augment=augment,
        batches=batches,
        model=near_identity(pull),
        loss=contrastive(temperature),
        optimiser=adamw(learning_rate),
        epochs=epochs,
    )


_RECIPE = head_recipe()


def train_head(
    faces: LabelledFaces,
    recipe: HeadRecipe = _RECIPE,
    *,
    seed: int = 0,
    checkpoint: Path | None = None,
    report: Report = lambda _epoch, _loss: None,
) -> Matrix:
    """The map float32[512, 512] from the default space to that of the head; the same for the same faces and seed.

    Raises InvalidValueError if there are too few persons with several faces, and ModelError without TensorFlow, which
    no epochs don't need.
    """
    if not recipe.epochs:
        return recipe.preprocess(faces).matrix
    trained = train(recipe, faces, seed=seed, checkpoint=checkpoint, report=report)
    (weights,) = trained.model.get_weights()
    result: Matrix = trained.fitted.matrix @ weights
    return result


def head_file(first: NDArray[np.float32], trained: NDArray[np.float32]) -> bytes:
    """The array file of a head: float16[features, 512], the default space's head, then what was trained on it."""
    file = BytesIO()
    np.save(file, (first @ trained).astype(np.float16), allow_pickle=False)
    return file.getvalue()
