"""A network that was trained here as the embedder of a space of its own: an entry of the operator's own catalogue.

From there on it is like any embedder that was installed: pinned by its checksum, and chosen or promoted by its space.
"""

import hashlib
import json
from pathlib import Path

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.errors import ModelError
from models.catalog import find_entry, load_catalog
from models.install import installed
from models.registry import EmbedderSpec
from models.whole import write_whole

_MAGIC = slice(4, 8), b"TFL3"


def is_network(content: bytes) -> bool:
    """Whether these are the bytes of a LiteRT network."""
    place, magic = _MAGIC
    return content[place] == magic


def save_network(folder: Path, space: str, content: bytes, *, licence: str, research_only: bool) -> EmbedderSpec:
    """Put a LiteRT network of aligned RGB faces, 0 to 255, into the folder under its space's name.

    Raises ModelError for other bytes, or a name that can't be.
    """
    if not is_network(content):
        raise ModelError(f"the embedder {space} must be a LiteRT network, other bytes were given; train it again")
    entry = (folder / f"{space}.toml").absolute()
    sha256 = hashlib.sha256(content).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    described = _describe(space, sha256, _side(content), licence, entry.as_uri(), research_only=research_only)
    note = f"{sha256}  {space}.tflite\n".encode()
    write_whole(
        {folder / f"{space}.tflite.sha256": note, folder / f"{space}.tflite": content, entry: described.encode()}
    )
    return installed(find_entry(load_catalog(folder), space), folder, check=True)


def _side(content: bytes) -> int:
    """Pixels of a side of the picture that it reads."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - kept out of import time

    return int(Interpreter(model_content=content).get_input_details()[0]["shape"][1])


def _describe(space: str, sha256: str, side: int, licence: str, page: str, *, research_only: bool) -> str:
    return f"""space = {json.dumps(space)}
version = {json.dumps(f"{space}-{sha256[:8]}")}
about = "a backbone that was trained on this installation"
page = {json.dumps(page)}
runtime = "litert"
output = {EMBEDDING_SIZE}

[licence]
name = {json.dumps(licence, ensure_ascii=False)}
text = {json.dumps(page)}
commercial = {json.dumps(not research_only)}

[weights]
sha256 = "{sha256}"

[input]
size = {side}
colour = "rgb"
mean = [0.0, 0.0, 0.0]
divisor = [1.0, 1.0, 1.0]
"""
