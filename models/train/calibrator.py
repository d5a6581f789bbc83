"""The recipe of a calibrator of ages and genders; models/calibrator.py tells what its numbers mean.

Ages are learnt by absolute errors of their logarithms, genders by log loss.  What an embedding adds is pulled towards
nothing, so few faces change little.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from facealbum.errors import InvalidValueError
from models.calibrator import Calibrator, Numbers, Stored, log_odds
from models.train.batches import Shuffled
from models.train.optimiser import adamw
from models.train.parts import Columns, Model
from models.train.recipe import Recipe, Report, train

BENDS: Numbers = (0.0, 2.0, 4.0, 7.0, 11.0, 16.0, 25.0, 45.0, 100.0)
_LEAST_SPREAD = -4.0  # of log(1 + age): no age is believed to the week
_MIN_FACES = 20  # fewer teach chance


@dataclass(frozen=True, slots=True, eq=False)
class LabelledEstimates:
    """What is stored of n faces, and what is known of them; raises InvalidValueError if the arrays do not fit.

    years: float32[n], true ages.  female: float32[n], 1 or 0, NaN where unknown.  weights: float32[n], mean 1.
    """

    stored: Stored
    years: NDArray[np.float32]
    female: NDArray[np.float32]
    weights: NDArray[np.float32]

    def __post_init__(self) -> None:
        shapes = {getattr(self, name).shape for name in ("years", "female", "weights")}
        if shapes != {(len(self.stored),)}:
            raise InvalidValueError(f"years, female and weights must be [{len(self.stored)}], got {shapes}")

    def only(self, chosen: NDArray[np.bool_]) -> Self:
        """The chosen ones."""
        return type(self)(*(_chosen(getattr(self, field.name), chosen) for field in fields(self)))


def _chosen(column: Any, chosen: NDArray[np.bool_]) -> Any:  # noqa: ANN401 - Stored or an array
    return column.only(chosen) if isinstance(column, Stored) else column[chosen]


@dataclass(frozen=True, slots=True)
class Bent:
    """Faces as a calibrator's lines see them: the preprocessing.

    inputs: float32[n, 2 x bends + 512]: how far each stretch between bends is passed, how near each bend is, the
    packaged log odds of female, the embedding.
    """

    years: Numbers

    def __call__(self, faces: LabelledEstimates) -> Columns:
        """Inputs, and the labels; log_years: log(1 + true age)."""
        bends, log_ages = np.log1p(self.years), np.log1p(faces.stored.ages.astype(np.float64))
        passed = np.clip((log_ages[:, None] - bends[:-1]) / np.diff(bends), 0, 1)
        near = np.stack([np.interp(log_ages, bends, one) for one in np.eye(len(bends))], axis=1)
        odds = log_odds(faces.stored.p_female)[:, None]
        inputs = np.concatenate([passed, near, odds, faces.stored.embeddings], axis=1)
        return {
            "inputs": inputs.astype(np.float32),
            "log_years": np.log1p(faces.years),
            "female": np.nan_to_num(faces.female, nan=0.5),
            "weights": faces.weights,
            "gender_weights": np.where(np.isnan(faces.female), 0, faces.weights).astype(np.float32),
        }


def _preprocess(faces: LabelledEstimates, years: Numbers) -> Bent:
    if len(faces.stored) < _MIN_FACES:
        raise InvalidValueError(f"a calibrator needs {_MIN_FACES} faces or more, got {len(faces.stored)}; confirm more")
    return Bent(years)


CalibratorRecipe = Recipe[LabelledEstimates, Bent]


def calibrator_recipe(
    *,
    epochs: int = 80,
    learning_rate: float = 0.01,
    age_pull: float = 0.05,
    gender_pull: float = 0.003,
    line_pull: float = 1.0,
    years: Numbers = BENDS,
) -> CalibratorRecipe:
    """The recipe; each pull times squared distances from the start is lost.

    age_pull, gender_pull: of what an embedding adds.  line_pull: of the lines, which the packaged models have fitted.
    """
    return Recipe(
        preprocess=partial(_preprocess, years=years),
        batches=Shuffled(256),
        model=bent_lines(years, age_pull=age_pull, gender_pull=gender_pull, line_pull=line_pull),
        loss=absolute_and_log_loss,
        optimiser=adamw(learning_rate),
        epochs=epochs,
    )


def bent_lines(years: Numbers, *, age_pull: float, gender_pull: float, line_pull: float) -> Model:
    """A Keras model [n, 2 x bends + 512] -> [n, 3]: log(1 + age), the logarithm of its spread, log odds of female.

    It starts as the packaged estimates, and is held monotone in them: no stretch of the age's line falls, and no slope
    of the odds is negative.
    """

    def model(columns: Columns) -> Any:  # noqa: ANN401 - keras ships no types
        import keras  # noqa: PLC0415 - only training pays for it

        bends = len(years)

        def line(name: str, part: Any, start: Any, pull: float, **how: Any) -> Any:  # noqa: ANN401 - keras ships no types
            home = np.broadcast_to(np.float32(start), (part.shape[1],))[:, None]

            def distance(weights: Any) -> Any:  # noqa: ANN401 - keras ships no types
                return pull * keras.ops.sum((weights - home) ** 2)

            layer = keras.layers.Dense(1, name=name, use_bias=False, kernel_regularizer=distance, **how)
            result = layer(part)
            layer.set_weights([home])
            return result

        inputs = keras.Input((columns["inputs"].shape[1],))
        passed, near = inputs[:, : bends - 1], inputs[:, bends - 1 : 2 * bends - 1]
        odds, vectors = inputs[:, 2 * bends - 1 : 2 * bends], inputs[:, 2 * bends :]
        rising = keras.constraints.NonNeg()
        ages = line("steps", passed, np.diff(np.log1p(years)), line_pull, kernel_constraint=rising)
        ages += line("offset", keras.ops.ones_like(odds), 0, line_pull) + line("age_weights", vectors, 0, age_pull)
        spreads = keras.ops.maximum(line("log_spreads", near, -2, 0), _LEAST_SPREAD)
        female = line("slopes", near, 1, line_pull, kernel_constraint=rising) * odds
        female += line("levels", near, 0, line_pull) + line("gender_weights", vectors, 0, gender_pull)
        return keras.Model(inputs, keras.ops.concatenate([ages, spreads, female], axis=1))

    return model


def absolute_and_log_loss(outputs: Any, batch: Mapping[str, Any]) -> Any:  # noqa: ANN401 - tensorflow ships no types
    """Both by the columns weights and gender_weights; the spread, which changes no age, by Laplace's likelihood."""
    import tensorflow as tf  # noqa: PLC0415 - only training pays for it

    log_age, log_spread, odds = tf.unstack(outputs, axis=1)
    error = tf.abs(batch["log_years"] - log_age)
    age = error + tf.stop_gradient(error) * tf.exp(-log_spread) + log_spread
    gender = tf.nn.sigmoid_cross_entropy_with_logits(labels=batch["female"], logits=odds)
    return tf.reduce_mean(batch["weights"] * age + batch["gender_weights"] * gender)


_RECIPE = calibrator_recipe()


def train_calibrator(
    faces: LabelledEstimates,
    recipe: CalibratorRecipe = _RECIPE,
    *,
    space: str,
    seed: int = 0,
    checkpoint: Path | None = None,
    report: Report = lambda _epoch, _loss: None,
) -> Calibrator:
    """The calibrator of these faces, whose embeddings are of `space`; the same for the same faces and seed.

    Raises InvalidValueError for too few faces, and ModelError without TensorFlow.
    """
    trained = train(recipe, faces, seed=seed, checkpoint=checkpoint, report=report)

    def numbers(name: str) -> Numbers:
        weights = trained.model.get_layer(name).get_weights()[0][:, 0]
        return tuple(weights.astype(float).tolist())

    (offset,) = numbers("offset")
    return Calibrator(
        space=space,
        years=trained.fitted.years,
        log_ages=tuple(np.cumsum([offset, *numbers("steps")]).tolist()),
        log_spreads=tuple(max(_LEAST_SPREAD, one) for one in numbers("log_spreads")),
        slopes=numbers("slopes"),
        levels=numbers("levels"),
        age_weights=numbers("age_weights"),
        gender_weights=numbers("gender_weights"),
    )
