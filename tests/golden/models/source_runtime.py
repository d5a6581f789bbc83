"""The models as their publishers ship them, run by the runtime they were made for; writes the goldens.

python -m tests.golden.models.source_runtime DIR   DIR holds what `python -m models.convert fetch DIR` gets
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.convert.sources import Source, load_sources, read
from models.convert.tfjs_reader import read_constants
from models.network import Chip
from models.registry import load_specs

GOLDENS = Path(__file__).parent / "goldens.npz"
Run: TypeAlias = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]


def chips(size: int) -> list[Chip]:
    """Pictures by integer arithmetic, so that they are the same everywhere: slopes, rings and a check."""
    y, x = np.mgrid[:size, :size]
    rings = (x - size // 2) ** 2 + (y - size // 2) ** 2
    planes = [
        (x * 255 // size, y * 255 // size, (x + y) * 127 // size),
        (rings * 5 % 256, rings * 3 % 256, (rings + x) % 256),
        ((x // 7 + y // 9) % 2 * 200, (x // 5 + y // 3) % 2 * 180, (x * y) % 251),
    ]
    return [np.stack(plane, axis=-1).astype(np.uint8) for plane in planes]


def source_outputs(source: Source, folder: Path) -> NDArray[np.float32]:
    """float32[chips, values] of the source's own runtime."""
    preprocessing = load_specs()[source.role].preprocessing
    assert preprocessing is not None
    run = _onnx(source, folder) if source.reader == "onnx" else _tfjs(source, folder)
    rows = [np.concatenate(run(preprocessing.apply(chip)), axis=1)[0] for chip in chips(preprocessing.size)]
    return np.stack(rows)


def networks() -> list[Source]:
    """The sources that are converted; the detector has goldens of its own."""
    return [source for source in load_sources() if source.reader != "copy" and source.role != "detector"]


def _onnx(source: Source, folder: Path) -> Run:
    import onnx  # noqa: PLC0415 - only making goldens pays for it
    import onnxruntime  # noqa: PLC0415 - only making goldens pays for it

    model = onnx.load_from_string(read(source, folder)[0])
    used = {name for node in model.graph.node for name in node.input}
    for spare in [item for item in model.graph.input if item.name not in used]:
        model.graph.input.remove(spare)  # SFace also lists the weights that it has stored in another form
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda picture: session.run(None, {name: picture.transpose(0, 3, 1, 2)})


def _tfjs(source: Source, folder: Path) -> Run:
    """TensorFlow runs the graph as it is, with its fused operators."""
    import tensorflow as tf  # noqa: PLC0415 - only making goldens pays for it
    from google.protobuf import json_format  # noqa: PLC0415 - comes with TensorFlow

    topology, weights = read(source, folder)
    model = json.loads(topology)
    graph = json_format.ParseDict({"node": model["modelTopology"]["node"]}, tf.compat.v1.GraphDef())
    constants = dict(read_constants(model["weightsManifest"], weights))
    for node in graph.node:
        if node.name in constants:
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(constants[node.name]))
    imported = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    run = imported.prune("input_1:0", [f"{name}:0" for name in source.outputs])
    return lambda picture: [item.numpy() for item in run(tf.constant(picture))]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    np.savez_compressed(GOLDENS, **{source.role: source_outputs(source, folder) for source in networks()})
