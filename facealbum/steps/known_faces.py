"""What the families' albums teach of ages and genders: registered children at the dates of their photos."""

from facealbum.domain.ids import FamilyId
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_space
from facealbum.storage.families import load_families
from facealbum.storage.known_faces import KnownFace, load_known_faces
from facealbum.storage.serving import load_served_arm


def collect_known_faces(context: Context) -> list[tuple[FamilyId, KnownFace]]:
    """Every confirmed face of a registered child in the default space, of all families in a fixed order."""
    with context.database.begin() as transaction:
        return [
            (family.family_id, face)
            for family in load_families(transaction)
            for face in load_known_faces(
                transaction,
                family.family_id,
                arm=load_served_arm(transaction, family.family_id),
                space=default_space(),
            )
        ]
