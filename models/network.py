"""One network behind one protocol, whatever runs it: an RGB chip in, a vector out.

LiteRT runs what is packaged; ONNX Runtime and Keras run models that an operator installs, and are imported only for
these.  Each uses one thread, so as many processes as cores use the machine; a network belongs to one thread.  One
chip at a time: a batch was not faster on a processor (docs/models.md), and its bits would depend on its size.
"""

import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from facealbum.errors import ModelError
from models.quiet import load_keras, without_line
from models.registry import ModelSpec, Preprocessing

LITERT_GREETING = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
_PICTURE = 4  # dimensions of [1, rows, columns, channels]

Chip: TypeAlias = NDArray[np.uint8]
"""uint8[size, size, 3], RGB, square."""
Picture: TypeAlias = NDArray[np.float32]
"""float32[1, size, size, 3], preprocessed."""


class Network(Protocol):
    """A network, ready to run."""

    @property
    def size(self) -> int:
        """Pixels of a side of the chip that it reads."""
        ...

    def run(self, chip: Chip) -> NDArray[np.float32]:
        """float32[values] for one chip; several outputs follow each other."""
        ...


def open_network(spec: ModelSpec) -> Network:
    """The network of a spec; raises ModelError if its file or what runs it is missing, damaged or of another kind."""
    if spec.preprocessing is None:
        raise ModelError(f"the manifest must describe the input of {spec.version}; reinstall facealbum")
    content = spec.read()
    try:
        return _Opened(spec.preprocessing, _RUNTIMES[spec.runtime](content))
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"{spec.file} must hold a network of a square RGB picture for {spec.runtime}, {error}; install it again"
        ) from error


class _Opened:
    """Preprocessing and whatever infers."""

    def __init__(self, preprocessing: Preprocessing, infer: "_Infer") -> None:
        self._preprocessing = preprocessing
        self._infer = infer

    @property
    def size(self) -> int:
        return self._preprocessing.size

    def run(self, chip: Chip) -> NDArray[np.float32]:
        outputs = self._infer(self._preprocessing.apply(chip))
        return np.concatenate([output.ravel() for output in outputs])


_Infer: TypeAlias = Callable[[Picture], list[NDArray[np.float32]]]


def _litert(content: bytes) -> _Infer:
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - kept out of import time

    with without_line(LITERT_GREETING):
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    outputs = [output["index"] for output in interpreter.get_output_details()]

    def infer(picture: Picture) -> list[NDArray[np.float32]]:
        interpreter.set_tensor(source, picture)
        interpreter.invoke()
        return [interpreter.get_tensor(output) for output in outputs]

    return infer


def _onnx(content: bytes) -> _Infer:
    try:
        runtime = import_module("onnxruntime")
    except ImportError as error:
        raise ModelError("onnxruntime must be installed to run this model; pip install 'facealbum[onnx]'") from error
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors: warnings about unused weights say nothing to a user
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0]
    if len(source.shape) != _PICTURE:
        raise ValueError(f"its input has the shape {source.shape}")
    channels_first = source.shape[1] == 3  # noqa: PLR2004 - red, green and blue

    def infer(picture: Picture) -> list[NDArray[np.float32]]:
        ordered = np.ascontiguousarray(picture.transpose(0, 3, 1, 2)) if channels_first else picture
        found: list[NDArray[np.float32]] = session.run(None, {source.name: ordered})
        return found

    return infer


def _keras(content: bytes) -> _Infer:
    keras = load_keras()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(content)
        model = keras.models.load_model(path, compile=False, safe_mode=True)

    def infer(picture: Picture) -> list[NDArray[np.float32]]:
        found = model(picture, training=False)
        return [keras.ops.convert_to_numpy(one) for one in (found if isinstance(found, (list, tuple)) else [found])]

    return infer


_RUNTIMES: dict[str, Callable[[bytes], _Infer]] = {"litert": _litert, "onnx": _onnx, "keras": _keras}
