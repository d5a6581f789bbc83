"""What tests of the models share: one loaded analyzer, and a portrait in the public domain."""

from importlib.resources import files
from io import BytesIO

import pytest
from PIL import Image

from models.analyzer import Analyzer


@pytest.fixture(scope="session")
def analyzer() -> Analyzer:
    """The packaged models."""
    return Analyzer.load()


@pytest.fixture(scope="session")
def portrait() -> Image.Image:
    """One face: Eileen Collins, NASA, 1998; see the manifest of the portraits."""
    content = (files("facealbum.demo") / "portraits" / "collins-1998.jpg").read_bytes()
    return Image.open(BytesIO(content)).convert("RGB")
