"""What is packaged: a `ModelSpec` a role and an `EmbedderSpec` a space, and weights checked before they are used.

Everything that belongs to a model version (preprocessing, embedding space, thresholds, calibration) stands in the
manifest beside its sha256, so none of it can drift from the weights.  Each load pays for one hash, about 15 ms in all.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from facealbum.errors import ModelError
from models.arrays import read_arrays

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a square RGB chip becomes a network's input: (value - mean) / divisor per channel in `colour` order.

    template: how an embedder's chip is cut, by the five landmarks as ArcFace does or as the upright box of the face.
    """

    size: int
    colour: Literal["rgb", "bgr"]
    mean: tuple[float, float, float]
    divisor: tuple[float, float, float]
    template: Literal["arcface", "box"] = "arcface"

    def apply(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """float32[1, size, size, 3] of an RGB chip uint8[size, size, 3]."""
        ordered = chip if self.colour == "rgb" else cv2.cvtColor(chip, cv2.COLOR_RGB2BGR)
        mean, divisor = _spread(self.size, self.mean, self.divisor)
        prepared: NDArray[np.float32] = np.subtract(ordered, mean, dtype=np.float32)
        prepared /= divisor
        return prepared[np.newaxis]


@cache
def _spread(size: int, *channels: tuple[float, float, float]) -> list[NDArray[np.float32]]:
    """The numbers of each channel for every pixel: eight times faster than spreading them anew for each chip."""
    return [np.broadcast_to(np.array(numbers, np.float32), (size, size, 3)).copy() for numbers in channels]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One packaged model; `space` names the embedding space, `constants` the numbers that belong to this version."""

    role: str
    version: str
    file: Path
    sha256: str
    licence: str
    licence_file: Path
    preprocessing: Preprocessing | None
    space: str
    constants: Mapping[str, tuple[float, ...]]
    runtime: Literal["litert", "onnx", "keras"] = "litert"

    def read(self) -> bytes:
        """The weights; raises ModelError if they are missing or not those of the manifest."""
        return _read_checked(self.file, self.sha256, what=f"the {self.role} model")


@dataclass(frozen=True, slots=True)
class Backbone:
    """One network of an embedder: its output, of length 1 times `weight`, is one part of the features.

    mirrored: the face and its mirror image are averaged, for twice the time.
    """

    model: ModelSpec
    weight: float
    mirrored: bool


@dataclass(frozen=True, slots=True)
class Head:
    """A linear map from the features of all backbones to the embedding: an array file, or `head` in an .npz, pinned."""

    file: Path
    sha256: str
    version: str

    def read(self) -> NDArray[np.float32]:
        """float32[features, 512]; raises ModelError if the file is missing, not as pinned or no such array."""
        content = _read_checked(self.file, self.sha256, what=f"the head {self.version}")
        try:
            bare = self.file.suffix == ".npy"
            array = np.load(BytesIO(content), allow_pickle=False) if bare else read_arrays(content)["head"]
            matrix: NDArray[np.float32] = array.astype(np.float32)
        except (ValueError, KeyError, EOFError) as error:
            raise ModelError(f"{self.file} must hold an array, {error}; reinstall facealbum") from error
        return matrix


@dataclass(frozen=True, slots=True)
class EmbedderSpec:
    """How one embedding space is made; without a head the output of its one backbone is the embedding.

    research_only: made from pictures that allow no other use, so it must be chosen by hand.
    similarity: mean cosine similarity from which two groups of faces are one person at all ages; None in the space that
    the clustering's own defaults belong to, and where it wasn't measured.
    """

    space: str
    version: str
    backbones: tuple[Backbone, ...]
    head: Head | None
    licence: str
    research_only: bool
    similarity: float | None = None


def load_embedders(folder: Path = FOLDER) -> dict[str, EmbedderSpec]:
    """The packaged embedding spaces by name, the default first; raises ModelError if the manifest can't be used."""
    specs = load_specs(folder)
    with _usable(folder) as manifest:
        return {space: _embedder(space, entry, specs, folder) for space, entry in manifest["embedders"].items()}


def load_specs(folder: Path = FOLDER) -> dict[str, ModelSpec]:
    """The packaged models by role; raises ModelError if the manifest can't be used."""
    with _usable(folder) as manifest:
        return {role: _spec(role, entry, folder) for role, entry in manifest["models"].items()}


@contextmanager
def _usable(folder: Path) -> Iterator[dict[str, Any]]:
    """The manifest, to be read inside of the block; whatever is wrong with it is a ModelError."""
    path = folder / "manifest.json"
    try:
        yield json.loads(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} must describe the packaged models, {error!r}; reinstall facealbum") from error


def _embedder(space: str, entry: dict[str, Any], specs: Mapping[str, ModelSpec], folder: Path) -> EmbedderSpec:
    head = entry["head"]
    return EmbedderSpec(
        space=space,
        version=entry["version"],
        backbones=tuple(Backbone(specs[one["model"]], one["weight"], one["mirrored"]) for one in entry["backbones"]),
        head=Head(folder / "weights" / head["file"], head["sha256"], head["version"]),
        licence=entry["licence"],
        research_only=entry["research_only"],
        similarity=entry.get("similarity"),
    )


def _spec(role: str, entry: dict[str, Any], folder: Path) -> ModelSpec:
    constants = entry.get("constants", {})
    return ModelSpec(
        role=role,
        version=entry["version"],
        file=folder / "weights" / entry["file"],
        sha256=entry["sha256"],
        licence=entry["licence"],
        licence_file=folder / "licences" / entry["licence_file"],
        preprocessing=_preprocessing(entry["input"]) if "input" in entry else None,
        space=entry.get("space", ""),
        constants={name: tuple(float(number) for number in numbers) for name, numbers in constants.items()},
    )


def _preprocessing(entry: dict[str, Any]) -> Preprocessing:
    mean, divisor = tuple(entry["mean"]), tuple(entry["divisor"])
    return Preprocessing(entry["size"], entry["colour"], mean, divisor)


def _read_checked(file: Path, sha256: str, *, what: str) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(f"{file} must hold {what}, {error}; reinstall facealbum") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{file} must have sha256 {sha256}, got {found}; reinstall facealbum, or rebuild it with "
            "python -m models.convert"
        )
    return content
