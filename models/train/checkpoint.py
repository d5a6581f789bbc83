"""A training between two epochs as one file: weights, the optimiser's state, the generator's, and the losses so far.

A file is replaced whole or not at all, so a training that is killed at any instant finds its last epoch.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facealbum.errors import InvalidValueError
from models.arrays import read_arrays
from models.train.parts import Keras, Tensor


@dataclass(slots=True, eq=False)
class Progress:
    """All that training changes: a Keras model and optimiser, the generator, and the mean loss of each epoch done."""

    model: Keras
    optimiser: Keras
    draw: np.random.Generator
    losses: list[float] = field(default_factory=list)

    def variables(self) -> list[Tensor]:
        """Those of model and optimiser in one order, with the state of what the model draws itself."""
        return [*self.model.variables, *self.optimiser.variables]


def save_checkpoint(path: Path, progress: Progress, *, identity: str) -> None:
    """Write where training stands; `identity` names what is trained."""
    about = {"identity": identity, "losses": progress.losses, "draw": progress.draw.bit_generator.state}
    arrays = {f"variable_{number}": np.asarray(one) for number, one in enumerate(progress.variables())}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        np.savez(file, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)
    part.replace(path)


def load_checkpoint(path: Path, progress: Progress, *, identity: str) -> None:
    """Go on from the file; without one, or with that of another training, everything stays at its start.

    Raises InvalidValueError if the file is no checkpoint, or one of another model.
    """
    try:
        arrays = read_arrays(path.read_bytes())
        about = json.loads(str(arrays["about"]))
        if about["identity"] != identity:
            return
        for number, variable in enumerate(progress.variables()):
            variable.assign(arrays[f"variable_{number}"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError) as error:
        raise InvalidValueError(f"{path} must be a checkpoint of this training, {error}; delete it") from error
    progress.draw.bit_generator.state = about["draw"]
    progress.losses[:] = about["losses"]
