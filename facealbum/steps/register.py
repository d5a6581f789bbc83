"""Registering photos, the same for an import, an HTTP upload and an event of the object store.

Content is promised, then its bytes are stored, then its row is written with the messages that have it analysed.  So a
crash leaves at most a promise, which `steps.uploads` keeps; and the same content is one photo of a family, whoever
brings it how often.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from io import SEEK_END
from typing import BinaryIO

from facealbum.domain.ids import FamilyId, PhotoId, photo_id
from facealbum.domain.photos import original_key
from facealbum.domain.videos import is_frame_key
from facealbum.errors import (
    ObjectStoreUnavailableError,
    PhotoError,
    UnknownFamilyError,
)
from facealbum.settings import Settings
from facealbum.steps.accepted import check_length
from facealbum.steps.context import Context
from facealbum.steps.manifests import check_name
from facealbum.steps.outbox import announce_photos
from facealbum.storage.database import Transaction
from facealbum.storage.photos import NewPhoto, load_owners, save_photos
from facealbum.storage.uploads import (
    Promise,
    delete_promises,
    is_family,
    load_contents,
    lock_uploads,
    save_promises,
)
from models.containers import is_video

PROMISED_FOR = timedelta(hours=1)  # at least, and no shorter than a signed URL is good for
_ATTEMPTS = 3
_HEAD_BYTES = 64  # enough to tell a video from anything else
_CHUNK_BYTES = 1 << 20
_LONGEST_NAME = 200
_MARK_DIGITS = 16


class Fate(StrEnum):
    """What became of a photo that was to be registered."""

    REGISTERED = "registered"
    KNOWN = "known"  # it was registered before
    DUPLICATE = "duplicate"  # the family has this content under another name
    NAME_TAKEN = "name_taken"  # the family has other content under this name
    GONE = "gone"  # its bytes were deleted meanwhile


@dataclass(frozen=True, slots=True)
class Registered:
    """The photo that holds the content, or the name, and what became of the one that came."""

    photo_id: PhotoId
    fate: Fate


def check_file(file: BinaryIO, settings: Settings, name: str) -> tuple[bytes, int]:
    """SHA-256 and size of the file; raises a PhotoError that names it, before reading, if it may not be a photo."""
    head = file.read(_HEAD_BYTES)
    size = file.seek(0, SEEK_END)
    check_length(size, settings, name, video=is_video(head))
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.digest(), size


def promise_photos(context: Context, family: FamilyId, new: Sequence[NewPhoto]) -> None:
    """Note what is about to be stored, if anything is; raises UnknownFamilyError."""
    if not any(one.sha256 for one in new):
        return
    now = context.clock()
    expires_at = now + max(PROMISED_FOR, timedelta(seconds=context.settings.upload_seconds))
    with context.database.begin() as transaction:
        if not is_family(transaction, family):
            raise UnknownFamilyError(f"no family has the id {family}; `facealbum family list` shows the families")
        save_promises(transaction, [_promise(family, one, expires_at) for one in new if one.sha256], now=now)


def register_photos(
    context: Context, transaction: Transaction, family: FamilyId, new: Sequence[NewPhoto], *, rename: bool = False
) -> list[Registered]:
    """Write the rows of photos whose bytes are stored, and their messages; one without content has no file yet.

    With `rename`, a photo whose name other content has gets a mark of its content behind it.  Deletions wait until the
    transaction ends, so a row has its bytes.  Raises UnknownFamilyError.
    """
    lock_uploads(transaction, family)
    if not is_family(transaction, family):
        for key in {original_key(family, one.sha256) for one in new if one.sha256}:
            context.objects.delete(key)
        raise UnknownFamilyError(f"no family has the id {family}; it was deleted while photos came in")
    owners = load_owners(transaction, family, [one.sha256 for one in new if one.sha256])
    contents = load_contents(transaction, family, [one.photo_id for one in new])
    results, fresh = [], []
    for came in new:
        taken = contents.get(came.photo_id) not in (None, came.sha256)
        one = _marked(family, came) if rename and taken else came
        result = _settle(context, family, one, owners, contents)
        if result.fate is Fate.REGISTERED:
            fresh.append(one)
            contents[one.photo_id] = one.sha256
            if one.sha256:
                owners[one.sha256] = one.photo_id
        results.append(result)
    save_photos(transaction, family, fresh, now=context.clock())
    announce_photos(context, transaction, family, [one.photo_id for one in fresh if one.sha256])
    settled = zip(new, results, strict=True)
    delete_promises(
        transaction, family, [one.sha256 for one, result in settled if one.sha256 and result.fate is not Fate.GONE]
    )
    return results


def new_photo(
    family: FamilyId, name: str, content: tuple[bytes, int], *, taken_at: datetime | None, otherwise: datetime
) -> NewPhoto:
    """A photo of this SHA-256 and size; `otherwise` is when it was taken if neither the caller nor its content says.

    Raises InvalidValueError, and a PhotoError for a name that frames of videos have.
    """
    check_name(name, "photo")
    if is_frame_key(name):
        raise PhotoError("a photo must not be named like a frame of a video (#t=SECONDS); give it another name")
    date = (otherwise, "file") if taken_at is None else (taken_at, "manifest")
    return NewPhoto(photo_id(family, name), name, *content, *date)


def store_photo(
    context: Context, family: FamilyId, photo: NewPhoto, file: BinaryIO, *, rename: bool = False
) -> Registered:
    """Promise, store and register one photo from a file; raises UnknownFamilyError and StorageErrors."""
    content = photo.sha256 or b""
    promise_photos(context, family, [photo])
    for _ in range(_ATTEMPTS):
        if not context.objects.exists(original_key(family, content)):
            context.objects.put_file(original_key(family, content), file, sha256=content)
        with context.database.begin() as transaction:
            (found,) = register_photos(context, transaction, family, [photo], rename=rename)
        if found.fate is not Fate.GONE:
            return found
    raise ObjectStoreUnavailableError("the photo's file keeps being deleted while it is registered; send it again")


def _settle(
    context: Context,
    family: FamilyId,
    one: NewPhoto,
    owners: dict[bytes, PhotoId],
    contents: dict[PhotoId, bytes | None],
) -> Registered:
    if one.sha256 is None:
        return Registered(one.photo_id, Fate.KNOWN if one.photo_id in contents else Fate.REGISTERED)
    key = original_key(family, one.sha256)
    owner = owners.get(one.sha256)
    if owner is None and contents.get(one.photo_id):
        context.objects.delete(key)  # nobody's: we hold the lock, and its promise goes
        return Registered(one.photo_id, Fate.NAME_TAKEN)
    if not context.objects.exists(key):
        return Registered(one.photo_id, Fate.GONE)
    if owner is not None:
        return Registered(owner, Fate.KNOWN if owner == one.photo_id else Fate.DUPLICATE)
    return Registered(one.photo_id, Fate.REGISTERED)


def _marked(family: FamilyId, photo: NewPhoto) -> NewPhoto:
    mark = (photo.sha256 or b"").hex()[:_MARK_DIGITS]
    name = f"{photo.key[: _LONGEST_NAME - _MARK_DIGITS - 1]}~{mark}"
    return replace(photo, photo_id=photo_id(family, name), key=name)


def _promise(family: FamilyId, photo: NewPhoto, expires_at: datetime) -> Promise:
    taken_at = photo.taken_at if photo.taken_at_source == "manifest" else None
    return Promise(family, photo.key, photo.sha256 or b"", photo.bytes or 0, taken_at, expires_at)
