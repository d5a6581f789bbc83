"""Models."""

import numpy as np

from models.train.parts import Columns, Keras, Model, Tensor


def near_identity(pull: float) -> Model:
    """One linear layer from embedding to embedding of length 1, at its start the identity.

    `pull` times the squared distance from the start is lost: a hidden layer learns the training families by heart, and
    so does a free linear one.
    """

    def model(columns: Columns) -> Keras:
        import keras  # noqa: PLC0415 - only training pays for it

        size = columns["inputs"].shape[1]
        start = np.eye(size, dtype=np.float32)
        home = keras.ops.convert_to_tensor(start)

        def distance(weights: Tensor) -> Tensor:
            return pull * keras.ops.sum((weights - home) ** 2)

        layer = keras.layers.Dense(size, use_bias=False, kernel_regularizer=distance)
        found = keras.Sequential([keras.Input((size,)), layer, keras.layers.UnitNormalization()])
        layer.set_weights([start])
        return found

    return model
