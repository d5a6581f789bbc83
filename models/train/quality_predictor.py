"""The recipe of a predictor of quality; models/quality_predictor.py tells what its numbers mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from facealbum.errors import InvalidValueError
from models.quality_predictor import TERMS, QualityPredictor
from models.train.batches import Shuffled
from models.train.optimiser import adamw
from models.train.parts import Columns, Model
from models.train.recipe import Recipe, Report, train

_MIN_FACES = 20  # fewer teach chance


@dataclass(frozen=True, slots=True, eq=False)
class RatedFaces:
    """terms: float32[n, 7].  matches: float32[n], the share of good faces of the person that each matches.

    weights: float32[n], mean 1.
    """

    terms: NDArray[np.float32]
    matches: NDArray[np.float32]
    weights: NDArray[np.float32]

    def only(self, chosen: NDArray[np.bool_]) -> Self:
        """The chosen ones."""
        return type(self)(self.terms[chosen], self.matches[chosen], self.weights[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Standardised:
    """Terms with mean 0 and deviation 1: the preprocessing."""

    means: NDArray[np.float32]
    scales: NDArray[np.float32]

    @classmethod
    def learn(cls, faces: RatedFaces) -> "Standardised":
        """As they are in these faces; raises InvalidValueError for too few."""
        if len(faces.terms) < _MIN_FACES:
            raise InvalidValueError(f"a predictor of quality needs {_MIN_FACES} faces or more, got {len(faces.terms)}")
        return cls(faces.terms.mean(axis=0), faces.terms.std(axis=0) + np.float32(1e-3))

    def __call__(self, faces: RatedFaces) -> Columns:
        """Inputs float32[n, 7], and the labels."""
        inputs = (faces.terms - self.means) / self.scales
        return {"inputs": inputs, "matches": faces.matches, "weights": faces.weights}


QualityRecipe = Recipe[RatedFaces, Standardised]


def quality_recipe(*, epochs: int = 60, learning_rate: float = 0.02, pull: float = 1e-3) -> QualityRecipe:
    """The recipe; `pull` times the squares of the weights is lost."""
    return Recipe(
        preprocess=Standardised.learn,
        batches=Shuffled(256),
        model=logistic(pull),
        loss=matches_missed,
        optimiser=adamw(learning_rate),
        epochs=epochs,
    )


def logistic(pull: float) -> Model:
    """A Keras model [n, terms] -> [n, 1] of log odds."""

    def model(columns: Columns) -> Any:  # noqa: ANN401 - keras ships no types
        import keras  # noqa: PLC0415 - only training pays for it

        size = columns["inputs"].shape[1]
        layer = keras.layers.Dense(1, kernel_initializer="zeros", kernel_regularizer=keras.regularizers.L2(pull))
        return keras.Sequential([keras.Input((size,)), layer])

    return model


def matches_missed(outputs: Any, batch: Mapping[str, Any]) -> Any:  # noqa: ANN401 - tensorflow ships no types
    """Log loss against the share of matches, by the column weights."""
    import tensorflow as tf  # noqa: PLC0415 - only training pays for it

    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=batch["matches"], logits=outputs[:, 0])
    return tf.reduce_mean(batch["weights"] * each)


_RECIPE = quality_recipe()


def train_quality(
    faces: RatedFaces,
    recipe: QualityRecipe = _RECIPE,
    *,
    seed: int = 0,
    checkpoint: Path | None = None,
    report: Report = lambda _epoch, _loss: None,
) -> QualityPredictor:
    """The predictor of these faces; the same for the same faces and seed.

    Raises InvalidValueError for too few faces, and ModelError without TensorFlow.
    """
    trained = train(recipe, faces, seed=seed, checkpoint=checkpoint, report=report)
    kernel, bias = trained.model.get_weights()
    weights = kernel[:, 0].astype(float) / trained.fitted.scales
    level = float(bias[0]) - float(weights @ trained.fitted.means)
    assert len(weights) == len(TERMS), "the model has one weight a term"  # noqa: S101
    return QualityPredictor(level, tuple(weights.tolist()))
