"""The packaged detector, run by LiteRT, against the outputs of its source's runtime.

python -m tests.golden.models.test_detector DIR   writes the goldens; DIR as for source_runtime
"""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.convert.sources import load_sources, read
from models.network import open_network
from models.registry import load_specs
from tests.golden.models.source_runtime import chips

SOURCES = os.environ.get("FACEALBUM_MODEL_SOURCES")
GOLDENS = Path(__file__).with_name("detector.npz")
STEP = 101  # of all outputs, every so manieth is kept
KINDS = (slice(0, 1), slice(1, 2), slice(2, 6), slice(6, 16))  # class, object, box, points


def source_outputs(folder: Path) -> NDArray[np.float32]:
    """float32[chips, values] of ONNX Runtime: each kind of output for strides 8, 16 and 32."""
    import onnxruntime  # noqa: PLC0415 - only making goldens pays for it

    (source,) = [source for source in load_sources() if source.role == "detector"]
    session = onnxruntime.InferenceSession(read(source, folder)[0], providers=["CPUExecutionProvider"])
    preprocessing = load_specs()["detector"].preprocessing
    assert preprocessing is not None
    pictures = [preprocessing.apply(chip).transpose(0, 3, 1, 2) for chip in chips(preprocessing.size)]
    runs = [session.run(None, {"input": picture}) for picture in pictures]
    return np.stack([np.concatenate([output.ravel() for output in run])[::STEP] for run in runs])


def packaged_outputs() -> NDArray[np.float32]:
    """The same of the packaged weights, whose maps hold all kinds; the one for stride 16 comes first."""
    network = open_network(load_specs()["detector"])
    rows = []
    for chip in chips(network.size):
        middle, fine, coarse = np.split(network.run(chip).reshape(-1, 16), [40 * 40, 40 * 40 + 80 * 80])
        values = [cells[:, kind].ravel() for kind in KINDS for cells in (fine, middle, coarse)]
        rows.append(np.concatenate(values)[::STEP])
    return np.stack(rows)


def test_packaged_detector_gives_what_the_source_runtime_gave() -> None:
    with np.load(GOLDENS) as goldens:
        expected = goldens["detector"]
    given = packaged_outputs()
    lengths = np.linalg.norm(given, axis=1) * np.linalg.norm(expected, axis=1)
    assert ((given * expected).sum(1) / lengths).min() > 0.9999
    assert np.abs(given - expected).max() < 0.01 * np.abs(expected).max()


@pytest.mark.skipif(SOURCES is None, reason="FACEALBUM_MODEL_SOURCES names no folder with the source packages")
@pytest.mark.filterwarnings("ignore")  # ONNX Runtime warns about itself
def test_detector_goldens_are_what_the_source_runtime_gives() -> None:
    with np.load(GOLDENS) as goldens:
        np.testing.assert_allclose(source_outputs(Path(str(SOURCES))), goldens["detector"], rtol=1e-3, atol=1e-4)


if __name__ == "__main__":
    np.savez_compressed(GOLDENS, detector=source_outputs(Path(sys.argv[1])))
