"""One LiteRT network: an RGB chip in, a vector out; one thread, not to be shared between threads."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from facealbum.errors import ModelError
from models.quiet import without_line
from models.registry import ModelSpec, Preprocessing

_GREETING = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU."

Chip: TypeAlias = NDArray[np.uint8]
"""uint8[size, size, 3], RGB, square."""


class Network:
    """The network of a spec, ready to run."""

    def __init__(self, spec: ModelSpec) -> None:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - kept out of import time

        if spec.preprocessing is None:
            raise ModelError(f"the manifest must describe the input of {spec.version}; reinstall facealbum")
        self._preprocessing: Preprocessing = spec.preprocessing
        with without_line(_GREETING):
            self._interpreter = Interpreter(model_content=spec.read(), num_threads=1)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]

    @property
    def size(self) -> int:
        """Pixels of a side of the chip that it reads."""
        return self._preprocessing.size

    def run(self, chip: Chip) -> NDArray[np.float32]:
        """float32[values] for one chip; several outputs follow each other."""
        self._interpreter.set_tensor(self._input, self._preprocessing.apply(chip))
        self._interpreter.invoke()
        return np.concatenate([self._interpreter.get_tensor(output).ravel() for output in self._outputs])
