"""Embedders that can be installed: one TOML file each, packaged here or written by the operator.

An entry pins what is fetched by sha256; one that can't must be given a checksum when it is installed.  Reading
checks every field, so a slip is a message and never a wrong embedding.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, ValidationError

from facealbum.errors import ModelError, UnknownModelError
from models.registry import load_embedders

FOLDER = Path(__file__).parent
_EXTENSIONS = {"litert": "tflite", "onnx": "onnx", "keras": "keras"}

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Url = Annotated[str, StringConstraints(pattern=r"^(https?|file)://\S+$")]
Size = Annotated[int, Field(gt=0)]
Positive = Annotated[float, Field(gt=0)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Licence(_Table):
    """name: of the licence of the weights; text: where it stands; commercial: whether it allows commercial use."""

    name: str
    text: Url
    commercial: bool


class Download(_Table):
    """What the publisher offers; member: the weights' path inside of it, if it is a zip archive."""

    url: Url
    bytes: Size | None = None
    sha256: Sha256 | None = None
    member: str = ""


class Weights(_Table):
    """The file that is run, where it isn't the download itself."""

    bytes: Size | None = None
    sha256: Sha256 | None = None


class Input(_Table):
    """The fields of models.registry.Preprocessing."""

    size: Annotated[int, Field(ge=16, le=1024)]
    colour: Literal["rgb", "bgr"]
    mean: Annotated[tuple[float, float, float], Strict(strict=False)]
    divisor: Annotated[tuple[Positive, Positive, Positive], Strict(strict=False)]
    template: Literal["arcface", "box"] = "arcface"


class Entry(_Table):
    """One embedder that can be installed; space: its name, and that of the embedding space that it fills.

    output: how many numbers it gives, at most 512.  mirrored: the face and its mirror image are averaged, for twice
    the time.  similarity: as in EmbedderSpec.  The file itself says whether channels come first or last.
    """

    space: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
    version: str
    about: str
    page: Url
    licence: Licence
    download: Download | None = None
    weights: Weights = Weights()
    runtime: Literal["litert", "onnx", "keras"]
    output: Annotated[int, Field(ge=1, le=512)]
    mirrored: bool = False
    similarity: Annotated[float, Field(ge=-1, le=1)] | None = None
    input: Input
    path: Annotated[Path, Field(exclude=True)]

    @property
    def file_name(self) -> str:
        """The name of the installed weights."""
        return f"{self.space}.{_EXTENSIONS[self.runtime]}"

    @property
    def weights_sha256(self) -> str | None:
        """The checksum of the weights, if the entry pins it."""
        if self.download is None or self.download.member:
            return self.weights.sha256
        return self.weights.sha256 or self.download.sha256

    @property
    def pins(self) -> tuple[str, ...]:
        """The checksums by which a download is accepted: of the weights, or of the archive that holds them."""
        given = (self.weights.sha256, self.download.sha256 if self.download else None)
        return tuple(digest for digest in given if digest)

    def sizes_at(self, url: str) -> tuple[int, ...]:
        """How many bytes may come from there: as published, elsewhere of any file that is pinned; () if not known."""
        if self.download and url == self.download.url:
            sizes = [self.download.bytes]
        else:
            sizes = [one.bytes for one in (self.download, self.weights) if one and one.sha256]
        return () if None in sizes else tuple(size for size in sizes if size)


def load_catalog(own: Path | None = None) -> dict[str, Entry]:
    """The packaged entries, then those of `own/*.toml`, by name.

    Raises ModelError for an entry that can't be read, or that takes the name of another.
    """
    packaged, entries = load_embedders(), dict[str, Entry]()
    for path in (*sorted(FOLDER.glob("*.toml")), *(sorted(own.glob("*.toml")) if own else ())):
        entry = _read(path)
        other = entries.setdefault(entry.space, entry)
        if other is not entry or entry.space in packaged:
            raise ModelError(f"{path} must have a space of its own, {entry.space!r} is taken; rename it")
    return entries


def find_entry(entries: dict[str, Entry], space: str) -> Entry:
    """The entry of this name; raises UnknownModelError."""
    if space not in entries:
        known = ", ".join((*load_embedders(), *entries))
        raise UnknownModelError(f"the model must be one of {known}, got {space!r}")
    return entries[space]


def _read(path: Path) -> Entry:
    try:
        return Entry.model_validate(tomllib.loads(path.read_text(encoding="utf-8")) | {"path": path})
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} must be a TOML file in UTF-8, {error}; see docs/models.md") from error
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise ModelError(f"{path} must describe a model, {'; '.join(wrong)}; see docs/models.md") from error
