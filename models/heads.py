"""Heads that an operator has trained: spaces of their own, made of the packaged networks.

A folder holds for each head its file and that file's checksum, the latter as sha256sum writes it.  The file carries the
head's terms with it, so neither its licence nor the similarity measured in it can be lost on the way.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facealbum.errors import InvalidValueError, ModelError
from models.arrays import read_arrays
from models.registry import EmbedderSpec, Head, load_embedders
from models.whole import write_whole

_ROUNDING = 1e-3  # heads are kept as float16
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_SUFFIX = ".head.npz"
_BARE = ".npy"  # the array alone: heads of releases before terms
_AGAIN = "remove it by facealbum models remove {}, and train it again"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a head may be used for, and the similarity measured in its space (EmbedderSpec), None if none was."""

    licence: str
    research_only: bool
    similarity: float | None = None


def default_terms() -> Terms:
    """Those of the default space, which a head learnt from the operator's own faces keeps."""
    default = _default()
    return Terms(default.licence, default.research_only)


def pack_head(matrix: NDArray[np.float32], terms: Terms) -> bytes:
    """The file of a head: float16[512, 512] of the default space becomes float16[features, 512], with its terms."""
    head = _default().head
    assert head is not None, "the packaged default space has a head"  # noqa: S101
    file = BytesIO()
    features = (head.read() @ matrix).astype(np.float16)
    np.savez(file, allow_pickle=False, head=features, terms=np.array(json.dumps(asdict(terms))))
    return file.getvalue()


def save_head(folder: Path, space: str, content: bytes) -> EmbedderSpec:
    """Keep the file of a head (`pack_head`) as this space; replaces an older one of its name.

    Raises InvalidValueError if the name can't be that of a file, or is that of a packaged space, and ModelError if the
    content is no head.
    """
    if not _NAME.fullmatch(space) or space in load_embedders():
        raise InvalidValueError(
            f"a space's name must be lower-case letters, digits, dots and hyphens and no packaged one, got {space!r}"
        )
    _read_terms(content, space)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{space}{_SUFFIX}"
    sha256 = hashlib.sha256(content).hexdigest()
    write_whole({_note(file): f"{sha256}  {file.name}\n".encode(), file: content})
    return _spec(space, file, sha256, content)


def load_heads(folder: Path) -> dict[str, EmbedderSpec]:
    """The trained spaces in a folder by name; raises ModelError for one whose checksum or terms can't be read."""
    return {space: _trained(space, file) for space, file in _files(folder).items()}


def find_head(folder: Path, space: str) -> EmbedderSpec | None:
    """The trained space of this name, whatever has become of the others; raises ModelError as `load_heads` does."""
    file = _files(folder).get(space)
    return None if file is None else _trained(space, file)


def is_head(folder: Path, space: str) -> bool:
    """Whether a trained space has this name, usable or not."""
    return space in _files(folder)


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
    """Delete a trained head, usable or not; returns how many bytes that freed."""
    freed = 0
    for file in (folder / f"{space}{suffix}" for suffix in (_BARE, _SUFFIX)):
        if file.exists():
            freed += file.stat().st_size
            file.unlink()
        _note(file).unlink(missing_ok=True)
    return freed


def _files(folder: Path) -> dict[str, Path]:
    """The file of each space; of two the one with terms counts."""
    found = [(suffix, file) for suffix in (_BARE, _SUFFIX) for file in sorted(folder.glob(f"*{suffix}"))]
    return {file.name.removesuffix(suffix): file for suffix, file in found}


def _note(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def _default() -> EmbedderSpec:
    return next(iter(load_embedders().values()))


def _trained(space: str, file: Path) -> EmbedderSpec:
    try:
        sha256, content = _note(file).read_text(encoding="ascii").split()[0], file.read_bytes()
    except (OSError, ValueError, IndexError) as error:
        raise ModelError(f"{_note(file)} must hold the checksum of {file.name}; {_AGAIN.format(space)}") from error
    return _spec(space, file, sha256, content)


def _spec(space: str, file: Path, sha256: str, content: bytes) -> EmbedderSpec:
    version = f"{space}-{sha256[:8]}"
    terms = default_terms() if file.suffix == _BARE else _read_terms(content, space)
    head = Head(file, sha256, version)
    return replace(_default(), space=space, version=version, head=head, **asdict(terms))


def _read_terms(content: bytes, space: str) -> Terms:
    try:
        return Terms(**json.loads(str(read_arrays(content)["terms"])))
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"the head {space} must hold its terms, {error!r}; {_AGAIN.format(space)}") from error
