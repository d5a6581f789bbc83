"""Identifiers that follow from what they name.

Every id is a UUID derived from the id of its parent and a key, so the same input gives the same ids on every
machine, and a plan made twice is the same bit for bit.  The price: sixteen bytes a key, and a renamed thing
keeps the id of its first name.
"""

from typing import NewType
from uuid import UUID, uuid5

FamilyId = NewType("FamilyId", UUID)
ChildId = NewType("ChildId", UUID)
PhotoId = NewType("PhotoId", UUID)
FaceId = NewType("FaceId", UUID)
PersonId = NewType("PersonId", UUID)
RunId = NewType("RunId", UUID)
DecisionId = NewType("DecisionId", UUID)
BatchId = NewType("BatchId", UUID)

_ROOT = UUID("6f1f5f0e-8f0b-5d5e-9a55-fa0ea1b0c0de")


def family_id(name: str) -> FamilyId:
    """The id of the family that is registered under this name."""
    return FamilyId(uuid5(_ROOT, f"family/{name}"))


def child_id(family: FamilyId, name: str) -> ChildId:
    """The id of the child registered under this name in the family."""
    return ChildId(uuid5(family, f"child/{name}"))


def photo_id(family: FamilyId, key: str) -> PhotoId:
    """The id of the photo that the family's importer calls `key`."""
    return PhotoId(uuid5(family, f"photo/{key}"))


def frame_id(video: PhotoId, ms: int) -> PhotoId:
    """The id of the video's frame so many milliseconds after its first one; a frame is a photo like any other."""
    return PhotoId(uuid5(video, f"frame/{ms}"))


def face_id(photo: PhotoId, detector: str, number: int) -> FaceId:
    """The id of the photo's face `number`, counted from 0 in the order that one detector version gives."""
    return FaceId(uuid5(photo, f"face/{detector}/{number}"))


def run_id(family: FamilyId, arm: str, month: str, digest: str) -> RunId:
    """The id of the run of one arm over one month ("2026-10") of exactly the input that has this digest."""
    return RunId(uuid5(family, f"run/{arm}/{month}/{digest}"))


def person_id(run: RunId, founder: FaceId) -> PersonId:
    """The id of the person that a run creates from a group whose smallest face id is `founder`."""
    return PersonId(uuid5(run, f"person/{founder}"))


def decision_id(family: FamilyId, number: int) -> DecisionId:
    """The id of the family's decision of this number, counted from 1."""
    return DecisionId(uuid5(family, f"decision/{number}"))


def split_person_id(decision: DecisionId) -> PersonId:
    """The id of the person that a user's decision splits off."""
    return PersonId(uuid5(decision, "person"))


def batch_id(number: int) -> BatchId:
    """The id of the monthly job of this number, counted from 1."""
    return BatchId(uuid5(_ROOT, f"batch/{number}"))
