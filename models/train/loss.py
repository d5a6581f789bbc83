"""Losses."""

from collections.abc import Mapping

from models.train.parts import Loss, Tensor


def contrastive(temperature: float) -> Loss:
    """Every other picture of the same person against the pictures of all others in the batch.

    The supervised contrastive loss (Khosla et al., NeurIPS 2020) of unit vectors, by the columns persons and photos:
    pictures of the same person in the same photo (a mirror, a collage) count as neither.
    """

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        import tensorflow as tf  # noqa: PLC0415 - only training pays for it

        persons, photos = batch["persons"], batch["photos"]
        logits = tf.matmul(outputs, outputs, transpose_b=True) / temperature
        person = persons[:, None] == persons[None]
        both = person & (photos[:, None] == photos[None])
        positive = tf.cast(person & ~both, tf.float32)
        total = tf.reduce_logsumexp(tf.where(both, logits.dtype.min, logits), axis=1, keepdims=True)
        count = tf.reduce_sum(positive, axis=1)
        each = tf.reduce_sum(positive * (total - logits), axis=1) / tf.maximum(count, 1)
        return tf.reduce_sum(each) / tf.maximum(tf.reduce_sum(tf.cast(count > 0, tf.float32)), 1)

    return loss
