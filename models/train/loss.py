"""The loss: supervised contrastive (Khosla et al., NeurIPS 2020), with photos and families taken into account."""

from collections.abc import Callable
from typing import Any, TypeAlias

Loss: TypeAlias = Callable[[Any, Any, Any], Any]
"""Of tensors: unit embeddings float32[n, values], persons int64[n], photos int64[n]; a scalar."""


def contrastive(temperature: float) -> Loss:
    """Every other picture of the same person against the pictures of all others in the batch.

    Pictures of the same person in the same photo (a mirror, a collage) count as neither.
    """
    import tensorflow as tf  # noqa: PLC0415 - only training pays for it

    def loss(embeddings: Any, persons: Any, photos: Any) -> Any:  # noqa: ANN401 - tensorflow ships no types
        logits = tf.matmul(embeddings, embeddings, transpose_b=True) / temperature
        person = persons[:, None] == persons[None]
        both = person & (photos[:, None] == photos[None])
        positive = tf.cast(person & ~both, tf.float32)
        total = tf.reduce_logsumexp(tf.where(both, logits.dtype.min, logits), axis=1, keepdims=True)
        count = tf.reduce_sum(positive, axis=1)
        each = tf.reduce_sum(positive * (total - logits), axis=1) / tf.maximum(count, 1)
        return tf.reduce_sum(each) / tf.maximum(tf.reduce_sum(tf.cast(count > 0, tf.float32)), 1)

    return loss
