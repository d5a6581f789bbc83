"""The recipe of a backbone: a compact network on aligned faces that learns to say what the default space says.

Depthwise separable convolutions in the manner of MobileFaceNet (Chen et al., CCBR 2018), with the distance to the
default space's embedding as loss (distillation).  Where a GPU is, it computes in half precision with a scaled loss.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.errors import InvalidValueError
from models.convert.keras_model import to_tflite
from models.quiet import load_keras
from models.train.batches import Shuffled
from models.train.optimiser import adamw
from models.train.parts import Columns, Keras, Loss, Model, Optimiser, Tensor
from models.train.recipe import Recipe

_BLOCKS = ((1, 2), (2, 2), (2, 1), (4, 2), (4, 1))  # of each: channels over `width`, stride
_HALF = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Chips:
    """n aligned faces uint8[n, side, side, 3] in RGB, and what the default space says of them, float32[n, 512]."""

    pixels: NDArray[np.uint8]
    embeddings: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.pixels)
        if self.pixels.shape[3:] != (3,) or self.embeddings.shape != (count, EMBEDDING_SIZE):
            raise InvalidValueError(
                f"each face needs pixels [side, side, 3] and {EMBEDDING_SIZE} numbers, got {self.pixels.shape} and"
                f" {self.embeddings.shape}"
            )

    def only(self, chosen: NDArray[np.bool_]) -> "Chips":
        """The chosen ones."""
        return Chips(self.pixels[chosen], self.embeddings[chosen])


class AsTheyAre:
    """The preprocessing: nothing is learnt, and the network scales pixels itself."""

    def __init__(self, chips: Chips) -> None:
        del chips

    def __call__(self, chips: Chips) -> Columns:
        """Inputs and targets."""
        return {"inputs": chips.pixels, "targets": chips.embeddings}


def mirrored(batch: Columns, draw: np.random.Generator) -> Columns:
    """Each face mirrored or not."""
    turned = draw.random(len(batch["inputs"])) < _HALF
    pixels = np.where(turned[:, None, None, None], batch["inputs"][:, :, ::-1], batch["inputs"])
    return {**batch, "inputs": pixels}


def distilled(outputs: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    """One less the mean cosine with what the default space says."""
    import keras  # noqa: PLC0415 - only training pays for it

    return 1 - keras.ops.mean(keras.ops.sum(outputs * batch["targets"], axis=1))


def separable(width: int) -> Model:
    """A network [n, side, side, 3] -> [n, 512] of unit vectors, `width` channels at its first layer."""

    def model(columns: Columns) -> Keras:
        import keras  # noqa: PLC0415 - only training pays for it

        layers = keras.layers
        found = [keras.Input(columns["inputs"].shape[1:]), layers.Rescaling(1 / 127.5, offset=-1)]
        found += [layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False)]
        for times, stride in _BLOCKS:
            found += [layers.BatchNormalization(), layers.PReLU(shared_axes=(1, 2))]
            found += [layers.SeparableConv2D(times * width, 3, strides=stride, padding="same", use_bias=False)]
        found += [layers.BatchNormalization(), layers.GlobalAveragePooling2D()]
        found += [layers.Dense(EMBEDDING_SIZE, dtype="float32"), layers.UnitNormalization(dtype="float32")]
        return keras.Sequential(found)

    return model


def half_precise(optimiser: Optimiser) -> Optimiser:
    """The same, its loss scaled so that gradients of half precision don't vanish (Micikevicius et al., ICLR 2018)."""

    def scaled(steps: int) -> Keras:
        import keras  # noqa: PLC0415 - only training pays for it

        return keras.optimizers.LossScaleOptimizer(optimiser(steps))

    return scaled


BackboneRecipe = Recipe[Chips, AsTheyAre]


def backbone_recipe(
    *, epochs: int, width: int = 32, batch: int = 128, learning_rate: float = 1e-3, loss: Loss = distilled
) -> BackboneRecipe:
    """The recipe; `choose_precision` makes it one for a GPU."""
    return Recipe(
        preprocess=AsTheyAre,
        augment=mirrored,
        batches=Shuffled(batch),
        model=separable(width),
        loss=loss,
        optimiser=adamw(learning_rate),
        epochs=epochs,
    )


def find_device() -> str:
    """Where training computes: "GPU" or "CPU"; raises ModelError without TensorFlow."""
    load_keras()
    import tensorflow as tf  # noqa: PLC0415 - only training pays for it

    return "GPU" if tf.config.list_physical_devices("GPU") else "CPU"


def choose_precision(recipe: BackboneRecipe, *, half: bool) -> BackboneRecipe:
    """Sets the precision that networks are built with in this process, and scales the loss where it is half."""
    import keras  # noqa: PLC0415 - only training pays for it

    keras.mixed_precision.set_global_policy("mixed_float16" if half else "float32")
    return replace(recipe, optimiser=half_precise(recipe.optimiser)) if half else recipe


def as_network(model: Keras, *, width: int, side: int) -> bytes:
    """A trained network as LiteRT runs it, in single precision whatever it was trained in, for one face at a time."""
    import keras  # noqa: PLC0415 - only training pays for it

    weights = model.get_weights()
    keras.mixed_precision.set_global_policy("float32")
    keras.backend.clear_session()  # layer names, and so the bytes of the result, count from here
    same = separable(width)({"inputs": np.zeros((1, side, side, 3), np.uint8)})
    same.set_weights(weights)
    face = keras.Input((side, side, 3), batch_size=1, name="image")
    return to_tflite(keras.Model(face, same(face), name="backbone"))
