"""A space of the families' own: the training `embedding_head` on confirmed albums, ready to be chosen by its name.

The same head is a draft in the registry, with its figures, under that name and its checksum.
"""

from dataclasses import dataclass

from eval.head_data import HeadData
from facealbum.errors import InvalidValueError
from facealbum.pipelines.run import CONFIRMED, run_training
from facealbum.pipelines.step import Values
from facealbum.pipelines.trainings.embedding_head import TRAINING
from facealbum.steps.context import Context
from facealbum.steps.embedders import models_folder
from models.catalog import load_catalog
from models.heads import is_head, save_head


@dataclass(frozen=True, slots=True)
class OwnHead:
    """The space that was made, from how much, in which run; model: the draft in the registry."""

    name: str
    faces: int
    persons: int
    families: int
    run: str
    model: str


def train_own_head(context: Context, name: str, *, epochs: int | None = None, seed: int = 0) -> OwnHead:
    """Train a head on every confirmed face in the database, and keep it as the space `name`.

    Raises InvalidValueError for a name that can't be, or too few people, and ModelError without the extra `train`.
    """
    folder = models_folder(context.settings)
    if is_head(folder, name) or name in load_catalog(folder):
        raise InvalidValueError(f"the name of a new space must be free, {name!r} is taken; choose another, as {name}-2")
    chosen: Values = {"name": name} if epochs is None else {"name": name, "epochs": epochs}
    done = run_training(context, TRAINING, source=CONFIRMED, chosen=chosen, seed=seed)
    save_head(folder, name, (done.outputs["train"].folder / "model.bin").read_bytes())
    faces = HeadData.load(done.outputs["collect"].folder / "data.npz").faces
    persons, families = (len(set(one.tolist())) for one in (faces.persons, faces.families))
    return OwnHead(name, len(faces), persons, families, done.run, done.model.label)
