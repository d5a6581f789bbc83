"""What is true of an object now, made true of the album: whoever hints at a key may do so twice, late or wrongly.

An original that is there is registered, one that is gone takes its photo along; what another program has uploaded
becomes an original under its own name.
"""

import hashlib
import tempfile
from contextlib import closing
from enum import StrEnum
from typing import BinaryIO

from facealbum import metrics
from facealbum.domain.ids import FamilyId
from facealbum.domain.object_events import OriginalKey, UploadKey
from facealbum.domain.photos import original_key
from facealbum.errors import ObjectNotFoundError, WrongContentError
from facealbum.steps.accepted import check_length
from facealbum.steps.context import Context
from facealbum.steps.photos import forget_lost_photo
from facealbum.steps.register import Fate, Registered, new_photo, register_photos, store_photo
from facealbum.storage.objects import ObjectState
from facealbum.storage.photos import load_owners
from facealbum.storage.uploads import load_promise, upload_id
from models.containers import is_video


class Noticed(StrEnum):
    """What a look at an object led to."""

    REGISTERED = "registered"
    DELETED = "deleted"
    UNCHANGED = "unchanged"


def notice_object(context: Context, key: OriginalKey | UploadKey) -> Noticed:
    """Look at the object and do what follows; raises PhotoErrors, StorageErrors and UnknownFamilyError."""
    noticed = _notice(context, key)
    metrics.OBJECT_EVENTS.labels(noticed.value).inc()
    return noticed


def _notice(context: Context, key: OriginalKey | UploadKey) -> Noticed:
    if isinstance(key, UploadKey):
        return _notice_upload(context, key)
    found = register_original(context, key.family_id, key.sha256)
    if found is None and forget_lost_photo(context, key.family_id, key.sha256):
        return Noticed.DELETED
    return Noticed.REGISTERED if found and found.fate is Fate.REGISTERED else Noticed.UNCHANGED


def register_original(context: Context, family: FamilyId, sha256: bytes) -> Registered | None:
    """Register a photo whose bytes are there, by the name that was promised for it; None if there are no bytes."""
    key = original_key(family, sha256)
    state = context.objects.head(key)
    if state is None:
        return None
    with context.database.begin() as transaction:
        known = load_owners(transaction, family, [sha256])
        promise = load_promise(transaction, family, upload_id(sha256))
    if known and promise is None:
        return Registered(known[sha256], Fate.KNOWN)
    try:
        _check_content(context, key, sha256, state)
    except ObjectNotFoundError:
        return None
    photo = new_photo(
        family,
        promise.key if promise else sha256.hex(),
        (sha256, state.size),
        taken_at=promise.taken_at if promise else None,
        otherwise=min(state.modified, context.clock()),
    )
    with context.database.begin() as transaction:
        (found,) = register_photos(context, transaction, family, [photo], rename=True)
    return None if found.fate is Fate.GONE else found


def _notice_upload(context: Context, key: UploadKey) -> Noticed:
    """Make an original of what is there, and remove it unless it was put anew meanwhile: that has a hint of its own."""
    state = context.objects.head(key.key)
    if state is None:
        return Noticed.UNCHANGED
    with tempfile.TemporaryFile() as file:
        try:
            size, sha256 = _fetch(context, key.key, state, file)
        except ObjectNotFoundError:
            return Noticed.UNCHANGED
        moment = min(state.modified, context.clock())
        photo = new_photo(key.family_id, key.name, (sha256, size), taken_at=None, otherwise=moment)
        found = store_photo(context, key.family_id, photo, file, rename=True)
    context.objects.delete(key.key, mark=state.mark)
    return Noticed.REGISTERED if found.fate is Fate.REGISTERED else Noticed.UNCHANGED


def _check_content(context: Context, key: str, sha256: bytes, state: ObjectState) -> None:
    """Raise a PhotoError unless the object may be a photo and has this SHA-256, as its store says or its bytes do."""
    if state.sha256 != sha256:
        _, found = _fetch(context, key, state, None)
        if found != sha256:
            raise WrongContentError(f"the object must have the content that its key tells, {sha256.hex()}; delete it")
        return
    with closing(context.objects.chunks(key)) as chunks:
        _check_head(context, key, state.size, next(chunks, b""))


def _fetch(context: Context, key: str, state: ObjectState, file: BinaryIO | None) -> tuple[int, bytes]:
    """Size and SHA-256 of the object, which is copied to the file; raises a PhotoError before more than its start."""
    digest, size = hashlib.sha256(), 0
    with closing(context.objects.chunks(key)) as chunks:
        for chunk in chunks:
            if not size:
                _check_head(context, key, state.size, chunk)
            digest.update(chunk)
            size += len(chunk)
            if file:
                file.write(chunk)
    if not size:
        _check_head(context, key, 0, b"")
    return size, digest.digest()


def _check_head(context: Context, key: str, size: int, head: bytes) -> None:
    check_length(size, context.settings, f"object {key!r}", video=is_video(head))
