"""A `Graph` as a Keras model, and a Keras model as TensorFlow Lite bytes with float16 weights."""

from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from models.convert.graph import (
    Conv,
    Dense,
    Graph,
    Multiply,
    Offset,
    Operation,
    Pad,
    Plain,
    Pool,
    PRelu,
    Relu,
)
from models.quiet import load_keras

_PICTURES = 4  # dimensions of [batch, height, width, channels]


def build(graph: Graph, *, name: str) -> Any:  # noqa: ANN401 - keras ships no types
    """The functional Keras model of the graph, weights set, for one picture.

    Outputs that differ in channels alone are joined: vectors to one vector, maps to one for each size.
    """
    keras = load_keras()
    keras.backend.clear_session()  # layer names, and so the bytes of the result, count from here
    tensors = {graph.input: keras.Input(graph.shape, batch_size=1, name="image")}
    for step in graph.steps:
        inputs = [tensors[item] for item in step.inputs]
        tensors[step.output] = _apply(step.operation, inputs)
    groups: dict[tuple[int, ...], list[Any]] = {}
    for item in graph.outputs:
        groups.setdefault(tensors[item].shape[:-1], []).append(tensors[item])
    results = [group[0] if len(group) == 1 else keras.layers.Concatenate()(group) for group in groups.values()]
    return keras.Model(tensors[graph.input], results[0] if len(results) == 1 else results, name=name)


def to_tflite(model: Any) -> bytes:  # noqa: ANN401 - keras ships no types
    """The model as LiteRT runs it: weights in float16, arithmetic in float32."""
    import tensorflow as tf  # noqa: PLC0415 - only conversion pays for it

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    with redirect_stdout(StringIO()):  # the converter lists every variable
        return bytes(converter.convert())


def _apply(operation: Operation, inputs: list[Any]) -> Any:  # noqa: ANN401, PLR0911 - one line per kind
    import keras  # noqa: PLC0415 - only conversion pays for it

    layers, ops = keras.layers, keras.ops
    first = inputs[0]
    match operation:
        case Conv():
            return _convolve(operation, first)
        case Dense(kernel, bias):
            return _weighted(layers.Dense(bias.size), first, [kernel, bias])
        case PRelu(slope):
            return _weighted(layers.PReLU(shared_axes=[1, 2]), first, [slope.reshape(1, 1, -1)])
        case Relu(limit):
            return layers.ReLU(max_value=limit)(first)
        case Multiply(factor):
            return ops.multiply(first, factor)
        case Offset(value):
            return ops.add(first, value)
        case Pad(amounts):
            return ops.pad(first, [(0, 0), *amounts])
        case Pool():
            return _pool(operation, first)
        case Plain(name):
            return _plain(name, inputs)


def _weighted(layer: Any, tensor: Any, weights: list[Any]) -> Any:  # noqa: ANN401 - keras ships no types
    result = layer(tensor)
    layer.set_weights(weights)
    return result


def _convolve(conv: Conv, tensor: Any) -> Any:  # noqa: ANN401 - keras ships no types
    import keras  # noqa: PLC0415 - only conversion pays for it

    padding, size = conv.padding, conv.kernel.shape[0]
    if isinstance(padding, tuple):
        top, left, bottom, right = padding
        tensor = keras.layers.ZeroPadding2D(((top, bottom), (left, right)))(tensor)
        padding = "valid"
    options = {"strides": conv.stride, "padding": padding, "use_bias": conv.bias is not None}
    layer = (
        keras.layers.DepthwiseConv2D(size, **options)
        if conv.depthwise
        else keras.layers.Conv2D(conv.kernel.shape[-1], size, **options)
    )
    weights = [conv.kernel] if conv.bias is None else [conv.kernel, conv.bias]
    return _weighted(layer, tensor, weights)


def _pool(pool: Pool, tensor: Any) -> Any:  # noqa: ANN401 - keras ships no types
    import keras  # noqa: PLC0415 - only conversion pays for it

    padding = pool.padding
    if isinstance(padding, tuple):  # zeros never win over what Relu gave
        top, left, bottom, right = padding
        tensor = keras.layers.ZeroPadding2D(((top, bottom), (left, right)))(tensor)
        padding = "valid"
    kind = keras.layers.MaxPooling2D if pool.kind == "max" else keras.layers.AveragePooling2D
    return kind(pool.size, pool.stride, padding)(tensor)


def _plain(name: str, inputs: list[Any]) -> Any:  # noqa: ANN401 - one line per kind
    import keras  # noqa: PLC0415 - only conversion pays for it

    layers = keras.layers
    match name:
        case "add":
            return layers.Add()(inputs)
        case "double":  # unlike a resize, this fits any size of picture
            return keras.ops.nn.depth_to_space(layers.Concatenate()(inputs * 4), 2)
        case "flatten" if len(inputs[0].shape) == _PICTURES:
            return layers.Flatten()(layers.Permute((3, 1, 2))(inputs[0]))
        case "flatten":
            return inputs[0]
        case "global_mean":
            return layers.GlobalAveragePooling2D()(inputs[0])
        case _:
            return layers.Activation(name)(inputs[0])
