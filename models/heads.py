"""Heads that an operator has trained: spaces of their own, made of the packaged networks.

A folder holds for each head its file and that file's checksum, the latter as sha256sum writes it.  The file carries the
head's terms with it, so neither its licence nor the similarity measured in it can be lost on the way.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facealbum.errors import InvalidValueError, ModelError
from models.registry import EmbedderSpec, Head, load_embedders

_ROUNDING = 1e-3  # heads are kept as float16
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_SUFFIX = ".head.npz"
_BARE = ".npy"  # the array alone: heads of releases before terms


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
    _read_terms(BytesIO(content), space)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{space}{_SUFFIX}"
    sha256 = hashlib.sha256(content).hexdigest()
    file.write_bytes(content)
    _note(file).write_text(f"{sha256}  {file.name}\n", encoding="ascii")
    return _spec(space, file, sha256)


def load_heads(folder: Path) -> dict[str, EmbedderSpec]:
    """The trained spaces in a folder by name; raises ModelError for one whose checksum or terms can't be read."""
    found = {}
    for space, file in _files(folder):
        try:
            sha256 = _note(file).read_text(encoding="ascii").split()[0]
        except (OSError, ValueError, IndexError) as error:
            raise ModelError(f"{_note(file)} must hold the checksum of {file.name}; train the head again") from error
        found[space] = _spec(space, file, sha256)
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
    freed = 0
    for name, file in list(_files(folder)):
        if name == space:
            freed += file.stat().st_size
            file.unlink()
            _note(file).unlink(missing_ok=True)
    return freed


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each space with its file, those with terms last, so that they count."""
    for suffix in (_BARE, _SUFFIX):
        for file in sorted(folder.glob(f"*{suffix}")):
            yield file.name.removesuffix(suffix), file


def _note(file: Path) -> Path:
    return file.with_name(f"{file.name}.sha256")


def _default() -> EmbedderSpec:
    return next(iter(load_embedders().values()))


def _spec(space: str, file: Path, sha256: str) -> EmbedderSpec:
    version = f"{space}-{sha256[:8]}"
    terms = default_terms() if file.suffix == _BARE else _read_terms(file, space)
    head = Head(file, sha256, version)
    return replace(_default(), space=space, version=version, head=head, **asdict(terms))


def _read_terms(file: Path | BytesIO, space: str) -> Terms:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return Terms(**json.loads(str(arrays["terms"])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the head {space} must hold its terms, {error!r}; train it again") from error
