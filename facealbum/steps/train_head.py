"""Training a head on the families' own albums: a space of theirs, in which their children are told apart better."""

from dataclasses import dataclass

from eval.head_data import HeadData, LabelledRow
from facealbum.errors import InvalidValueError
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_space, models_folder
from facealbum.storage.families import load_families
from facealbum.storage.labelled import load_labelled_faces
from facealbum.storage.serving import load_served_arm
from models.catalog import load_catalog
from models.heads import default_terms, load_heads, pack_head, save_head
from models.train.head import head_recipe, train_head


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
    faces = collect_faces(context).faces
    context.progress.begin("Training", recipe.epochs)
    trained = train_head(faces, recipe, seed=seed, report=lambda *_: context.progress.advance())
    save_head(folder, name, pack_head(trained, default_terms()))
    return TrainedHead(name, len(faces), len(set(faces.persons.tolist())), len(set(faces.families.tolist())))


def collect_faces(context: Context) -> HeadData:
    """Every confirmed face that has an embedding of the default space, from all families; see `collect_rows`."""
    return HeadData.of(collect_rows(context))


def collect_rows(context: Context, *, space: str | None = None) -> list[LabelledRow]:
    """The same in any space, with the ids of families, persons, photos and faces.

    Persons that are linked to one child count as one: their photos years apart are what there is to learn.
    """
    with context.database.begin() as transaction:
        return [
            LabelledRow(
                id=str(face.face),
                family=str(family.family_id),
                person=str(face.who),
                photo=str(face.photo),
                source=0,
                age=face.age,
                p_female=face.p_female,
                quality=face.quality,
                yaw=face.yaw,
                height=face.height,
                embedding=face.embedding,
            )
            for family in load_families(transaction)
            for face in load_labelled_faces(
                transaction,
                family.family_id,
                arm=load_served_arm(transaction, family.family_id),
                space=space or default_space(),
            )
        ]
