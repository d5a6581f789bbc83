"""The few numbers that turn what networks say into years, probabilities and trust, by purpose, from manifest.json.

They were fitted to labelled faces and hold for the model versions beside them.  Each set has a version of its own,
which is recorded with what it calibrated.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facealbum.errors import ModelError
from models.registry import FOLDER


@dataclass(frozen=True, slots=True)
class Calibration:
    """One set of numbers; `calibration[name]` is float64[...]."""

    version: str
    numbers: Mapping[str, tuple[float, ...]]

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return np.array(self.numbers[name])


def load_calibrations(folder: Path = FOLDER) -> dict[str, Calibration]:
    """By purpose, age_gender and quality; raises ModelError if the manifest can't be used."""
    path = folder / "manifest.json"
    try:
        entries = json.loads(path.read_bytes())["calibrations"]
        return {
            purpose: Calibration(
                entry["version"], {name: tuple(map(float, numbers)) for name, numbers in entry["numbers"].items()}
            )
            for purpose, entry in entries.items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} must hold the calibrations, {error!r}; reinstall facealbum") from error


def calibration_versions(folder: Path = FOLDER) -> dict[str, str]:
    """The version of each calibration, to be recorded with those of the models; raises ModelError."""
    return {f"{purpose}_calibration": one.version for purpose, one in load_calibrations(folder).items()}
