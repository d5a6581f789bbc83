"""The adapter that is a network: a linear map with a hidden layer beside it, by Keras in the pattern of models.train.

It starts as the linear map and learns what is left; the cosine to the true vector is what counts.  Needs the extra
`train`; the same pairs and seed give the same adapter on one machine.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.adapter import Adapter
from models.adapter_fit import Pairs
from models.quiet import load_keras


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of training."""

    hidden: int = 512
    epochs: int = 20
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3


_RECIPE = Recipe()


def fit_mlp(pairs: Pairs, *, start: Adapter, recipe: Recipe = _RECIPE, seed: int = 0) -> Adapter:
    """Train from the linear adapter `start`; raises ModelError without TensorFlow."""
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    model = _model(keras, start, recipe)
    steps = recipe.epochs * -(-len(pairs.old) // recipe.batch)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay), keras.losses.CosineSimilarity())
    model.fit(pairs.old, pairs.new, batch_size=recipe.batch, epochs=recipe.epochs, verbose=0)
    (inner, bias), (outer,), (matrix, offset) = (
        model.get_layer(name).get_weights() for name in ("inner", "outer", "straight")
    )
    return Adapter("mlp", matrix, offset, inner, bias, outer)


def _model(keras: Any, start: Adapter, recipe: Recipe) -> Any:  # noqa: ANN401 - keras ships no types
    """[n, d] -> [n, d], at its start exactly the linear adapter."""
    size = len(start.matrix)
    given = keras.Input((size,))
    hidden = keras.layers.Dense(recipe.hidden, activation="relu", name="inner")(given)
    beside = keras.layers.Dense(size, use_bias=False, kernel_initializer="zeros", name="outer")(hidden)
    straight = keras.layers.Dense(size, name="straight")
    model = keras.Model(given, keras.layers.Add()([straight(given), beside]))
    straight.set_weights([start.matrix, np.asarray(start.offset)])
    return model
