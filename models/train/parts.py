"""What the parts of a recipe are: each does one thing, and is exchanged without the others knowing."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Tensor: TypeAlias = Any
"""A tensor; TensorFlow ships no types."""

Keras: TypeAlias = Any
"""A model or an optimiser; Keras ships no types."""

Columns: TypeAlias = Mapping[str, NDArray[Any]]
"""Numbers by name, each column n rows long: `inputs` is what the model sees, the others are for batches and loss."""

Rows: TypeAlias = NDArray[np.int64]
"""int64[some]: numbers of rows."""

Model: TypeAlias = Callable[[Columns], Keras]
"""A Keras model for inputs such as these; its regularisation counts as loss."""

Loss: TypeAlias = Callable[[Tensor, Mapping[str, Tensor]], Tensor]
"""Of the model's outputs, and a batch's columns as tensors; a scalar."""

Optimiser: TypeAlias = Callable[[int], Keras]
"""A Keras optimiser for so many steps."""

Step: TypeAlias = Callable[[Columns], Tensor]
"""Takes the model one batch further, and gives the loss before that."""

MakeStep: TypeAlias = Callable[[Keras, Loss, Keras], Step]
"""Of model, loss and optimiser."""


class Augment(Protocol):
    """Makes of a batch another one that might have been."""

    def __call__(self, batch: Columns, draw: np.random.Generator) -> Columns:
        """As many rows, whose labels still hold."""
        ...


class Batches(Protocol):
    """Divides rows into batches."""

    def __call__(self, columns: Columns, draw: np.random.Generator) -> Iterator[Rows]:
        """One epoch; as many batches each time, whatever is drawn."""
        ...
