"""What a head is learnt from on the families' own albums: what was confirmed, of every family."""

from eval.head_data import HeadData, LabelledRow
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_space
from facealbum.storage.families import load_families
from facealbum.storage.labelled import load_labelled_faces
from facealbum.storage.serving import load_served_arm


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
