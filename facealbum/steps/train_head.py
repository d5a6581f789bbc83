"""Training a head on the families' own albums: a space of theirs, in which their children are told apart better."""

from dataclasses import dataclass
from itertools import count

import numpy as np

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.errors import InvalidValueError
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_space, models_folder
from facealbum.storage.families import load_families
from facealbum.storage.labelled import load_labelled_faces
from facealbum.storage.serving import load_served_arm
from models.catalog import load_catalog
from models.heads import load_heads, save_head
from models.registry import load_embedders
from models.train.faces import LabelledFaces
from models.train.head import head_file, head_recipe, train_head


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """The space that was made, and from how much."""

    name: str
    faces: int
    persons: int
    families: int


def train_own_head(context: Context, name: str, *, epochs: int | None = None, seed: int = 0) -> TrainedHead:
    """Train a head on every confirmed face in the database, and keep it as the space `name`, ready to be chosen.

    Raises InvalidValueError for a name that can't be, or too few people, and ModelError without the extra `train`.
    """
    folder = models_folder(context.settings)
    if name in load_heads(folder) or name in load_catalog(folder):
        raise InvalidValueError(f"the name of a new space must be free, {name!r} is taken; choose another, as {name}-2")
    recipe = head_recipe() if epochs is None else head_recipe(epochs=epochs)
    faces = collect_faces(context)
    context.progress.begin("Training", recipe.epochs)
    trained = train_head(faces, recipe, seed=seed, report=lambda *_: context.progress.advance())
    default = load_embedders()[default_space()]
    assert default.head is not None, "the packaged default space has a head"  # noqa: S101
    save_head(folder, name, head_file(default.head.read(), trained))
    return TrainedHead(name, len(faces), len(set(faces.persons.tolist())), len(set(faces.families.tolist())))


def collect_faces(context: Context) -> LabelledFaces:
    """Every confirmed face that has an embedding of the default space, from all families.

    Persons that are linked to one child count as one: their photos years apart are what there is to learn.
    """
    with context.database.begin() as transaction:
        rows = [
            (family.family_id, face)
            for family in load_families(transaction)
            for face in load_labelled_faces(
                transaction,
                family.family_id,
                arm=load_served_arm(transaction, family.family_id),
                space=default_space(),
            )
        ]
    numbers: dict[object, int] = {}
    fresh = count()

    def number(key: object) -> int:
        return numbers.setdefault(key, next(fresh))

    return LabelledFaces(
        embeddings=np.array([face.embedding for _, face in rows], np.float32).reshape(-1, EMBEDDING_SIZE),
        families=np.array([number(("family", family)) for family, _ in rows], np.int64),
        persons=np.array([number(("person", face.who)) for _, face in rows], np.int64),
        photos=np.array([number(("photo", face.photo)) for _, face in rows], np.int64),
        ages=np.array([face.age for _, face in rows], np.float32),
        sources=np.zeros(len(rows), np.int64),
    )
