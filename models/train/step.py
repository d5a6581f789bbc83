"""One step of training, compiled once for batches of any size."""

from models.train.parts import Columns, Keras, Loss, Step, Tensor


def descend(model: Keras, loss: Loss, optimiser: Keras) -> Step:
    """A step down the loss and the model's regularisation; scaled where the optimiser scales for half precision."""
    import tensorflow as tf  # noqa: PLC0415 - only training pays for it

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def compiled(batch: dict[str, Tensor]) -> Tensor:
        with tf.GradientTape() as tape:
            value = loss(model(batch["inputs"], training=True), batch) + sum(model.losses)
            scaled = optimiser.scale_loss(value)
        weights = model.trainable_variables
        optimiser.apply(tape.gradient(scaled, weights), weights)
        return value

    def step(batch: Columns) -> Tensor:
        return compiled({name: tf.convert_to_tensor(column) for name, column in batch.items()})

    return step
