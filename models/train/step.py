"""One step of training, compiled once for batches of any size."""

from collections.abc import Callable
from typing import Any, TypeAlias

from models.train.loss import Loss

Step: TypeAlias = Callable[[Any, Any, Any], Any]
"""Of embeddings, persons and photos; changes the model, and gives the loss before that."""


def make_step(model: Any, loss: Loss, optimizer: Any) -> Step:  # noqa: ANN401 - keras ships no types
    """A step that takes the optimizer one batch further."""
    import tensorflow as tf  # noqa: PLC0415 - only training pays for it

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(embeddings: Any, persons: Any, photos: Any) -> Any:  # noqa: ANN401 - tensorflow ships no types
        with tf.GradientTape() as tape:
            value = loss(model(embeddings, training=True), persons, photos) + sum(model.losses)
        weights = model.trainable_variables
        optimizer.apply(tape.gradient(value, weights), weights)
        return value

    result: Step = step
    return result
