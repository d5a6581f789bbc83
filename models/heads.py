"""Heads that an operator has trained: spaces of their own, made of the packaged networks.

A folder holds for each head its array file and that file's checksum, the latter as sha256sum writes it.
"""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facealbum.errors import InvalidValueError, ModelError
from models.registry import EmbedderSpec, Head, load_embedders

_ROUNDING = 1e-3  # heads are kept as float16
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


def save_head(folder: Path, space: str, content: bytes) -> EmbedderSpec:
    """Keep the array file of a head (models.train.head.head_file) as this space; replaces an older one of its name.

    Raises InvalidValueError if the name can't be that of a file, or is that of a packaged space.
    """
    if not _NAME.fullmatch(space) or space in load_embedders():
        raise InvalidValueError(
            f"a space's name must be lower-case letters, digits, dots and hyphens and no packaged one, got {space!r}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{space}.npy"
    sha256 = hashlib.sha256(content).hexdigest()
    file.write_bytes(content)
    _note(file).write_text(f"{sha256}  {file.name}\n", encoding="ascii")
    return _spec(file, sha256)


def load_heads(folder: Path) -> dict[str, EmbedderSpec]:
    """The trained spaces in a folder by name; raises ModelError for one whose checksum can't be read."""
    found = {}
    for file in sorted(folder.glob("*.npy")):
        try:
            sha256 = _note(file).read_text(encoding="ascii").split()[0]
        except (OSError, ValueError, IndexError) as error:
            raise ModelError(f"{_note(file)} must hold the checksum of {file.name}; train the head again") from error
        found[file.stem] = _spec(file, sha256)
    return found


def carry_over(source: EmbedderSpec, target: EmbedderSpec) -> NDArray[np.float32] | None:
    """The map float32[512, 512] that makes the target's embeddings of the source's, but for rounding and length.

    None if they see a face by other networks, or the source has lost what the target keeps.
    """
    if source.backbones != target.backbones or source.head is None or target.head is None:
        return None
    first, second = source.head.read(), target.head.read()
    found: NDArray[np.float32] = np.linalg.lstsq(first, second, rcond=None)[0]
    lost = np.linalg.norm(first @ found - second) / np.linalg.norm(second)
    return found if lost < _ROUNDING else None


def remove_head(folder: Path, space: str) -> int:
    """Delete a trained head; returns how many bytes that freed."""
    file = folder / f"{space}.npy"
    freed = file.stat().st_size
    file.unlink()
    _note(file).unlink(missing_ok=True)
    return freed


def _note(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def _spec(file: Path, sha256: str) -> EmbedderSpec:
    default = next(iter(load_embedders().values()))
    version = f"{file.stem}-{sha256[:8]}"
    return replace(default, space=file.stem, version=version, head=Head(file, sha256, version))
