"""The way from the published packages to the packaged weights; needs the packages and TensorFlow.

Get the packages with `python -m models.convert fetch DIR` and set FACEALBUM_MODEL_SOURCES=DIR.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from models.convert.__main__ import convert_all
from models.convert.sources import Source
from models.registry import load_specs
from tests.golden.models.source_runtime import GOLDENS, networks, source_outputs

SOURCES = os.environ.get("FACEALBUM_MODEL_SOURCES")
pytestmark = [
    pytest.mark.skipif(SOURCES is None, reason="FACEALBUM_MODEL_SOURCES names no folder with the source packages"),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow and its libraries warn about themselves
]


def test_every_weight_file_is_rebuilt_bit_for_bit(tmp_path: Path) -> None:
    convert_all(Path(str(SOURCES)), tmp_path)
    for spec in load_specs().values():
        assert (tmp_path / spec.file.name).read_bytes() == spec.read()


@pytest.mark.parametrize("source", networks(), ids=lambda source: source.role)
def test_goldens_are_what_the_source_runtime_gives(source: Source) -> None:
    with np.load(GOLDENS) as goldens:
        np.testing.assert_allclose(
            source_outputs(source, Path(str(SOURCES))), goldens[source.role], rtol=1e-3, atol=1e-4
        )
