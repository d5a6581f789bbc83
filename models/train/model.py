"""The model: one linear layer from embedding to embedding, held near its start."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def linear(start: NDArray[np.float32], *, pull: float) -> Any:  # noqa: ANN401 - keras ships no types
    """A Keras model [n, in] -> [n, out] of unit vectors; `pull` times the squared distance from the start is lost.

    A hidden layer learns the training families by heart, and so does a free linear one.
    """
    import keras  # noqa: PLC0415 - only training pays for it

    home = keras.ops.convert_to_tensor(start)

    def distance(weights: Any) -> Any:  # noqa: ANN401 - keras ships no types
        return pull * keras.ops.sum((weights - home) ** 2)

    layer = keras.layers.Dense(start.shape[1], use_bias=False, kernel_regularizer=distance)
    model = keras.Sequential([keras.Input((start.shape[0],)), layer, keras.layers.UnitNormalization()])
    layer.set_weights([start])
    return model
