"""Deleting one photo or video with all that is known of it."""

from dataclasses import dataclass

from facealbum.domain.ids import family_id
from facealbum.errors import InvalidValueError
from facealbum.steps.context import Context
from facealbum.storage.deletions import delete_upload, load_upload
from facealbum.storage.families import load_families
from facealbum.storage.photos import original_key
from facealbum.storage.runs import lock_family


@dataclass(frozen=True, slots=True)
class ForgottenPhoto:
    """persons: how many had no other face, and are gone as well."""

    persons: int


def forget_photo(context: Context, family: str, key: str) -> ForgottenPhoto:
    """Delete the stored file and every row of the photo or video that the family's importer called `key`.

    The file goes first: cut short, the photo is still known and the same call finishes the work.  Raises
    UnknownFamilyError, and InvalidValueError if the family has no such photo.
    """
    identity = family_id(family)
    with context.database.begin() as transaction:
        load_families(transaction, family)
        lock_family(transaction, identity)
        found = load_upload(transaction, identity, key)
        if found is None:
            raise InvalidValueError(f"the family must have a photo or video called {key!r}; nothing was deleted")
        upload, content = found
        if content is not None:
            context.objects.delete(original_key(identity, content))
        return ForgottenPhoto(delete_upload(transaction, identity, upload))
