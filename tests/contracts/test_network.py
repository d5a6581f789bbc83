"""Every runtime runs the same small network: what it gives, that it repeats itself, and how it refuses."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from facealbum.errors import ModelError
from models.convert.keras_model import to_tflite
from models.network import Network, open_network
from models.registry import ModelSpec, Preprocessing

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras with NumPy 2

SIZE = 16
RUNTIMES = ("litert", "onnx", "keras")
KERNEL = np.random.default_rng(1).normal(size=(3, 3, 3, 4)).astype(np.float32).astype(np.float16).astype(np.float32)


def keras_model() -> Any:  # noqa: ANN401 - keras ships no types
    picture = keras.Input((SIZE, SIZE, 3), batch_size=1)
    layer = keras.layers.Conv2D(4, 3, use_bias=False)
    model = keras.Model(picture, keras.layers.Flatten()(layer(picture)))
    layer.set_weights([KERNEL])
    return model


def onnx_model() -> bytes:
    """The same with channels first, as most published ONNX models are; flattened rows, columns, channels."""
    kernel = numpy_helper.from_array(np.ascontiguousarray(KERNEL.transpose(3, 2, 0, 1)), "kernel")
    nodes = [
        helper.make_node("Conv", ["picture", "kernel"], ["found"]),
        helper.make_node("Transpose", ["found"], ["turned"], perm=[0, 2, 3, 1]),
        helper.make_node("Flatten", ["turned"], ["values"]),
    ]
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])
    values = helper.make_tensor_value_info("values", TensorProto.FLOAT, ["N", (SIZE - 2) ** 2 * 4])
    graph = helper.make_graph(nodes, "small", [picture], [values], [kernel])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def write(folder: Path, runtime: str) -> bytes:
    if runtime == "onnx":
        return onnx_model()
    if runtime == "litert":
        return to_tflite(keras_model())
    keras_model().save(folder / "small.keras")
    return (folder / "small.keras").read_bytes()


def spec(folder: Path, runtime: Any, content: bytes, *, size: int = SIZE) -> ModelSpec:  # noqa: ANN401 - a literal
    path = folder / f"model.{runtime}"
    path.write_bytes(content)
    preprocessing = Preprocessing(size, "bgr", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
    digest = hashlib.sha256(content).hexdigest()
    return ModelSpec("embedder", "small-1", path, digest, "CC0-1.0", path, preprocessing, "small", {}, runtime=runtime)


@pytest.fixture(params=RUNTIMES)
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Network:
    return open_network(spec(tmp_path, request.param, write(tmp_path, request.param)))


def expected(chip: np.ndarray[Any, np.dtype[np.uint8]]) -> np.ndarray[Any, Any]:
    """The convolution written out."""
    picture = (chip[:, :, ::-1].astype(np.float64) - 127.5) / 127.5
    windows = np.lib.stride_tricks.sliding_window_view(picture, (3, 3), axis=(0, 1))  # type: ignore[call-overload]
    return np.einsum("rcdij,ijdo->rco", windows, KERNEL).ravel()


CHIPS = np.random.default_rng(2).integers(0, 256, (5, SIZE, SIZE, 3), np.uint8)


def test_every_runtime_computes_the_same_network(network: Network) -> None:
    assert network.size == SIZE
    for chip in CHIPS:
        given = network.run(chip)
        assert given.dtype == np.float32
        np.testing.assert_allclose(given, expected(chip), atol=1e-4)


def test_a_chip_gives_the_same_bits_whatever_ran_before(network: Network) -> None:
    first = [network.run(chip) for chip in CHIPS]
    again = [network.run(chip) for chip in CHIPS[::-1]][::-1]
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))


def test_a_result_is_not_overwritten_by_the_next(network: Network) -> None:
    first = network.run(CHIPS[0])
    kept = first.copy()
    network.run(CHIPS[1])
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_file_of_another_kind_is_refused_by_name(runtime: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=rf"model\.{runtime} must hold a network"):
        open_network(spec(tmp_path, runtime, b"not a network"))


def test_a_file_that_differs_from_its_checksum_is_refused(tmp_path: Path) -> None:
    right = spec(tmp_path, "onnx", onnx_model())
    right.file.write_bytes(onnx_model()[:-1])
    with pytest.raises(ModelError, match="sha256"):
        open_network(right)


def test_packaged_models_run_without_the_other_runtimes() -> None:
    program = (
        "import sys\n"
        "from models.analyzer import Analyzer\n"
        "Analyzer.load()\n"
        "sys.exit(str({'tensorflow', 'keras', 'onnxruntime'} & set(sys.modules)) if "
        "{'tensorflow', 'keras', 'onnxruntime'} & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
