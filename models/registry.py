"""What is packaged: one `ModelSpec` per role, read from manifest.json, and weights checked before they are used.

Everything that belongs to a model version (preprocessing, embedding space, thresholds, calibration) stands in the
manifest beside its sha256, so none of it can drift from the weights.  Each load pays for one hash, about 15 ms in all.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from facealbum.errors import ModelError

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
        mean, divisor = np.array(self.mean, np.float32), np.array(self.divisor, np.float32)
        return ((ordered - mean) / divisor)[np.newaxis]


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
        try:
            content = self.file.read_bytes()
        except OSError as error:
            raise ModelError(f"{self.file} must hold the {self.role} model, {error}; reinstall facealbum") from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise ModelError(
                f"{self.file} must have sha256 {self.sha256}, got {found}; reinstall facealbum, or rebuild it with "
                "python -m models.convert"
            )
        return content


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
    """A linear map from the features of all backbones to the embedding: an array file, pinned by sha256."""

    file: Path
    sha256: str
    version: str


@dataclass(frozen=True, slots=True)
class EmbedderSpec:
    """How one embedding space is made; without a head the output of its one backbone is the embedding.

    research_only: made from pictures that allow no other use, so it must be chosen by hand.
    """

    space: str
    version: str
    backbones: tuple[Backbone, ...]
    head: Head | None
    licence: str
    research_only: bool


def load_embedders(folder: Path = FOLDER) -> dict[str, EmbedderSpec]:
    """The packaged embedding spaces by name, the default first; raises ModelError if the manifest can't be used."""
    embedder = load_specs(folder)["embedder"]
    backbone = Backbone(embedder, weight=1.0, mirrored=True)
    return {embedder.space: EmbedderSpec(embedder.space, embedder.version, (backbone,), None, embedder.licence, False)}


def load_specs(folder: Path = FOLDER) -> dict[str, ModelSpec]:
    """The packaged models by role; raises ModelError if the manifest can't be used."""
    path = folder / "manifest.json"
    try:
        entries = json.loads(path.read_bytes())["models"]
        return {role: _spec(role, entry, folder) for role, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} must describe the packaged models, {error!r}; reinstall facealbum") from error


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
