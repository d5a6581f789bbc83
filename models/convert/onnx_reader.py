"""ONNX files into a `Graph`: channels move last, weights are transposed.

Raises ModelError for every operator or setting that our models do not hold.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from facealbum.errors import ModelError
from models.convert.graph import (
    Conv,
    Dense,
    Graph,
    Multiply,
    Offset,
    Operation,
    Pad,
    Padding,
    Plain,
    Pool,
    PRelu,
    Relu,
    Step,
)

Array: TypeAlias = NDArray[Any]
Attributes: TypeAlias = dict[str, Any]

_FLAT = 2  # dimensions of [batch, values]


def read_onnx(content: bytes) -> Graph:
    """The graph of an ONNX file with one image input."""
    import onnx  # noqa: PLC0415 - only conversion pays for it

    source = onnx.load_from_string(content).graph
    constants = {item.name: onnx.numpy_helper.to_array(item) for item in source.initializer}
    used = {name for node in source.node for name in node.input}
    (image,) = [item for item in source.input if item.name in used - constants.keys()]
    _, depth, height, width = [size.dim_value for size in image.type.tensor_type.shape.dim]
    reader = _Reader(constants)
    for node in source.node:
        attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
        if node.op_type == "Constant":
            constants[node.output[0]] = onnx.numpy_helper.to_array(attributes["value"])
        elif constants.keys() >= set(node.input):
            constants[node.output[0]] = _folded(node.op_type, [constants[name] for name in node.input], attributes)
        else:
            reader.add(node, attributes)
    outputs = tuple(reader.name_of(item.name) for item in source.output)
    return Graph(image.name, (height, width, depth), tuple(reader.steps), outputs)


class _Reader:
    """Collects steps; `_alias` maps a tensor that is another one reshaped to that other one."""

    def __init__(self, constants: dict[str, Array]) -> None:
        self.steps: list[Step] = []
        self._constants = constants
        self._alias: dict[str, str] = {}

    def name_of(self, tensor: str) -> str:
        """The tensor that holds these values."""
        return self._alias.get(tensor, tensor)

    def add(self, node: Any, attributes: Attributes) -> None:  # noqa: ANN401 - onnx ships no types
        values = [self._constants[name] for name in node.input if name in self._constants]
        inputs = tuple(self.name_of(name) for name in node.input if name not in self._constants)
        if node.op_type == "Dropout":
            self._alias[node.output[0]] = inputs[0]
        elif node.op_type == "BatchNormalization":
            factor, shift = _normalisation(values, attributes)
            self.steps.append(Step(Multiply(factor), inputs, f"{node.output[0]}/factor"))
            self.steps.append(Step(Offset(shift), (f"{node.output[0]}/factor",), node.output[0]))
        elif node.op_type == "Reshape" and len(values[0]) != _FLAT:
            self._alias[node.output[0]] = inputs[0]
        elif node.op_type == "Transpose":
            _require(attributes["perm"] == [0, 2, 3, 1], "a transposition must move channels last")
            self._alias[node.output[0]] = inputs[0]  # where they are already
        else:
            _require(node.op_type in _OPERATIONS, f"operator {node.op_type} is not known")
            operation = _OPERATIONS[node.op_type](values, attributes)
            self.steps.append(Step(operation, inputs, node.output[0]))


def _require(condition: bool, problem: str) -> None:  # noqa: FBT001 - reads like assert
    if not condition:
        raise ModelError(f"this ONNX file can't be converted: {problem}")


def _folded(kind: str, values: list[Array], attributes: Attributes) -> Array:
    """The result of an operation on constants: weights stored as int8, one scale for each block of them."""
    if kind == "Reshape":
        return values[0].reshape(values[1])
    _require(kind == "DequantizeLinear", f"operator {kind} is not known on constants")
    stored, scales, zeros = values
    axis, block = attributes["axis"], attributes["block_size"]
    scales, zeros = (
        np.repeat(item, block, axis).take(range(stored.shape[axis]), axis).astype(np.float32)
        for item in (scales, zeros)
    )
    result: Array = (stored.astype(np.float32) - zeros) * scales
    return result


def _normalisation(values: list[Array], attributes: Attributes) -> tuple[Array, Array]:
    """A normalisation with fixed statistics, as factor and shift per channel."""
    scale, shift, mean, variance = (item.astype(np.float64) for item in values)
    factor = scale / np.sqrt(variance + attributes["epsilon"])
    return factor.astype(np.float32), (shift - mean * factor).astype(np.float32)


def _square(attributes: Attributes, *, name: str) -> int:
    first, second = attributes[name]
    _require(first == second, f"{name} must be equal in both directions, got {attributes[name]}")
    return int(first)


def _padding(attributes: Attributes, *, size: int, stride: int) -> Padding:
    top, left, bottom, right = attributes["pads"]
    if (top, left, bottom, right) == (0, 0, 0, 0):
        return "valid"
    if stride == 1 and {top, left, bottom, right} == {size // 2}:
        return "same"
    return top, left, bottom, right


def _conv(values: list[Array], attributes: Attributes) -> Operation:
    kernel = values[0].transpose(2, 3, 1, 0)
    groups = attributes.get("group", 1)
    depthwise = groups > 1
    _require(set(attributes.get("dilations", [1])) == {1}, "convolutions must not be dilated")
    if depthwise:
        _require(kernel.shape[2:] == (1, groups), "groups of a convolution must hold one channel")
        kernel = kernel.transpose(0, 1, 3, 2)
    size, stride = _square(attributes, name="kernel_shape"), _square(attributes, name="strides")
    bias = values[1] if len(values) > 1 else None
    return Conv(kernel, bias, stride, _padding(attributes, size=size, stride=stride), depthwise)


def _gemm(values: list[Array], attributes: Attributes) -> Operation:
    _require((attributes["alpha"], attributes["beta"]) == (1, 1), "a product must not be scaled")
    _require(not attributes.get("transA"), "only the weights of a product may be transposed")
    return Dense(values[0].T if attributes.get("transB") else values[0], values[1])


def _pool(kind: Literal["max", "mean"], attributes: Attributes) -> Operation:
    size, stride = _square(attributes, name="kernel_shape"), _square(attributes, name="strides")
    _require(not attributes.get("ceil_mode"), "windows of a pool must lie inside")
    counted = kind == "max" or attributes.get("count_include_pad") or not any(attributes["pads"])
    _require(counted, "the mean of a pool must count what it is padded with")
    return Pool(kind, size, stride, _padding(attributes, size=size, stride=stride))


def _pad(values: list[Array], attributes: Attributes) -> Operation:
    _require(attributes["mode"] == b"constant", "padding must be by zeros")
    before, after = values[0].reshape(2, 4).tolist()
    amounts = list(zip(before, after, strict=True))
    return Pad((amounts[2], amounts[3], amounts[1]))


def _add(values: list[Array], attributes: Attributes) -> Operation:
    del attributes
    return Offset(values[0].ravel()) if values else Plain("add")


def _double(values: list[Array], attributes: Attributes) -> Operation:
    _require(attributes["mode"] == b"nearest" and values[-1].tolist() == [1, 1, 2, 2], "a resize must repeat pixels")
    return Plain("double")


_OPERATIONS: dict[str, Callable[[list[Array], Attributes], Operation]] = {
    "Add": _add,
    "AveragePool": lambda _values, attributes: _pool("mean", attributes),
    "Conv": _conv,
    "Flatten": lambda _values, _attributes: Plain("flatten"),
    "Gemm": _gemm,
    "GlobalAveragePool": lambda _values, _attributes: Plain("global_mean"),
    "MaxPool": lambda _values, attributes: _pool("max", attributes),
    "Mul": lambda values, _attributes: Multiply(values[0].ravel()),
    "PRelu": lambda values, _attributes: PRelu(values[0].ravel()),
    "Pad": _pad,
    "Relu": lambda _values, _attributes: Relu(),
    "Reshape": lambda _values, _attributes: Plain("flatten"),
    "Resize": _double,
    "Sigmoid": lambda _values, _attributes: Plain("sigmoid"),
    "Softmax": lambda _values, _attributes: Plain("softmax"),
    "Sub": lambda values, _attributes: Offset(-values[0].ravel()),
}
