"""Optimisers."""

from models.train.parts import Keras, Optimiser


def adamw(learning_rate: float, *, weight_decay: float = 0.0) -> Optimiser:
    """AdamW (Loshchilov and Hutter, ICLR 2019), its rate falling to nothing along a cosine."""

    def optimiser(steps: int) -> Keras:
        import keras  # noqa: PLC0415 - only training pays for it

        rate = keras.optimizers.schedules.CosineDecay(learning_rate, max(1, steps))
        return keras.optimizers.AdamW(rate, weight_decay=weight_decay)

    return optimiser
