"""TensorFlow.js graph models (a JSON graph and float16 weights) into a `Graph`.

Raises ModelError for every operator or setting that our models do not hold.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any, TypeAlias

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
    Padding,
    Plain,
    Relu,
    Step,
)

Array: TypeAlias = NDArray[Any]


def read_tfjs(topology: bytes, weights: bytes, *, outputs: tuple[str, ...]) -> Graph:
    """The part of a TensorFlow.js graph with one image input that leads to the named outputs."""
    model = json.loads(topology)
    nodes = {node["name"]: node for node in model["modelTopology"]["node"]}
    constants = dict(read_constants(model["weightsManifest"], weights))
    (image,) = [node for node in nodes.values() if node["op"] == "Placeholder"]
    height, width, depth = [int(size["size"]) for size in image["attr"]["shape"]["shape"]["dim"][1:]]
    steps: dict[str, Step] = {}
    for name in outputs:
        _visit(name, nodes, constants, steps)
    return Graph(image["name"], (height, width, depth), tuple(steps.values()), outputs)


def read_constants(groups: list[Any], weights: bytes) -> Iterator[tuple[str, Array]]:
    """Every stored tensor by name, float16 widened to float32."""
    position = 0
    for entry in [entry for group in groups for entry in group["weights"]]:
        stored = np.dtype(entry.get("quantization", entry)["dtype"])
        count = int(np.prod(entry["shape"], dtype=np.int64))
        tensor = np.frombuffer(weights, stored, count, position).reshape(entry["shape"])
        position += tensor.nbytes
        yield entry["name"], tensor.astype(entry["dtype"])
    if position != len(weights):
        raise ModelError(f"the weights must be {position} bytes as the graph says, got {len(weights)}")


def _visit(name: str, nodes: dict[str, Any], constants: dict[str, Array], steps: dict[str, Step]) -> None:
    """Add the step that computes `name`, after the steps that it needs."""
    node = nodes[name]
    if name in steps or node["op"] == "Placeholder":
        return
    tensors = tuple(item for item in node["input"] if item not in constants)
    values = [constants[item] for item in node["input"] if item in constants]
    for tensor in tensors:
        _visit(tensor, nodes, constants, steps)
    operations = _operations(node["op"], values, node.get("attr", {}))
    for number, operation in enumerate(operations, start=1):
        output = name if number == len(operations) else f"{name}/{number}"
        steps[output] = Step(operation, tensors, output)
        tensors = (output,)


def _operations(  # noqa: C901, PLR0911 - one line per kind
    kind: str, values: list[Array], attributes: dict[str, Any]
) -> list[Operation]:
    match kind:
        case "Conv2D":
            return [Conv(values[0], None, *_window(attributes), depthwise=False)]
        case "DepthwiseConv2dNative":
            return [Conv(values[0], None, *_window(attributes), depthwise=True)]
        case "_FusedMatMul":
            fused = [base64.b64decode(name) for name in attributes["fused_ops"]["list"]["s"]]
            return [Dense(values[0], values[1]), *([Relu()] if b"Relu" in fused else [])]
        case "Add":
            return [Offset(values[0])]
        case "Mul":
            return [Multiply(values[0])]
        case "Relu":
            return [Relu()]
        case "Minimum":
            return [Relu(float(values[0]))]  # these models only ever limit what Relu gave
        case "Maximum" if values[0] == 0:
            return [Relu()]
        case "Mean" if values[0].tolist() == [1, 2]:
            return [Plain("global_mean")]
        case "Sigmoid":
            return [Plain("sigmoid")]
        case "Softmax":
            return [Plain("softmax")]
    raise ModelError(f"this TensorFlow.js graph can't be converted: operator {kind} is not known as it is used")


def _window(attributes: dict[str, Any]) -> tuple[int, Padding]:
    stride = int(attributes["strides"]["list"]["i"][1])
    return stride, "same" if base64.b64decode(attributes["padding"]["s"]) == b"SAME" else "valid"
