"""Deleting one photo or video with all that is known of it."""

from dataclasses import dataclass

from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.domain.photos import original_key
from facealbum.errors import InvalidValueError
from facealbum.steps.context import Context
from facealbum.storage.database import Transaction
from facealbum.storage.deletions import delete_upload, load_upload
from facealbum.storage.families import load_families
from facealbum.storage.photos import load_owners
from facealbum.storage.pictures import pictures_prefix
from facealbum.storage.runs import lock_family
from facealbum.storage.uploads import lock_uploads

_PATIENCE_SECONDS = 60  # for a clustering run


@dataclass(frozen=True, slots=True)
class ForgottenPhoto:
    """persons: how many had no other face, and are gone as well."""

    persons: int


def find_photo(context: Context, family: str, key: str) -> PhotoId:
    """The id of the photo or video that the family's importer called `key`.

    Raises UnknownFamilyError, and InvalidValueError if the family has no such photo.
    """
    with context.database.begin() as transaction:
        return _find(transaction, load_families(transaction, family)[0].family_id, key)[0]


def forget_photo(context: Context, family: str, key: str) -> ForgottenPhoto:
    """Delete the stored file and every row of the photo or video that the family's importer called `key`.

    The file goes first: cut short, the photo is still known and the same call finishes the work.  Raises
    UnknownFamilyError, and InvalidValueError if the family has no such photo.
    """
    with context.database.begin() as transaction:
        identity = load_families(transaction, family)[0].family_id
        _lock(transaction, identity)
        upload, content = _find(transaction, identity, key)
        if content is not None:
            context.objects.delete(original_key(identity, content))
        return ForgottenPhoto(_delete(context, transaction, identity, upload, content))


def forget_lost_photo(context: Context, family: FamilyId, content: bytes) -> bool:
    """Delete every row of the photo or video whose stored file somebody has deleted; tells whether there was one."""
    with context.database.begin() as transaction:
        if not load_owners(transaction, family, [content]):
            return False
        _lock(transaction, family)
        if context.objects.exists(original_key(family, content)):
            return False
        photos = load_owners(transaction, family, [content]).values()
        for photo in photos:
            _delete(context, transaction, family, photo, content)
        return bool(photos)


def _find(transaction: Transaction, family: FamilyId, key: str) -> tuple[PhotoId, bytes | None]:
    found = load_upload(transaction, family, key)
    if found is None:
        raise InvalidValueError(f"the family must have a photo or video called {key!r}; nothing was deleted")
    return found


def _delete(
    context: Context, transaction: Transaction, family: FamilyId, upload: PhotoId, content: bytes | None
) -> int:
    """Delete the rows, then the pictures: whoever keeps one holds the rows until it is there (storage.pictures)."""
    persons = delete_upload(transaction, family, upload)
    if content is not None:
        context.objects.delete_prefix(pictures_prefix(family, content))
    return persons


def _lock(transaction: Transaction, family: FamilyId) -> None:
    """Keep runs from deciding about the family, and new photos from coming in, until the transaction ends."""
    lock_family(transaction, family, wait_seconds=_PATIENCE_SECONDS)
    lock_uploads(transaction, family)
