"""Photos that somebody brings over HTTP: sent to us, or put into the object store by a URL that we sign.

A signed URL takes the promised content and no other.  What is promised and comes without a word is found by
`complete_promised_uploads`, so a client may die after its upload.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import UUID

from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.domain.object_events import OriginalKey
from facealbum.domain.photos import original_key
from facealbum.errors import (
    FacealbumError,
    NameTakenError,
    NotUploadedError,
    UnknownFamilyError,
    UnknownPhotoError,
    UnknownUploadError,
    WrongContentError,
)
from facealbum.logs import place_of
from facealbum.steps.accepted import check_length
from facealbum.steps.arrivals import register_original
from facealbum.steps.context import Context
from facealbum.steps.outbox import park
from facealbum.steps.register import (
    Fate,
    Registered,
    check_file,
    new_photo,
    promise_photos,
    store_photo,
)
from facealbum.storage.objects import SignedPut
from facealbum.storage.parked import EVENTS
from facealbum.storage.photos import NewPhoto, load_owners
from facealbum.storage.uploads import (
    PhotoState,
    Promise,
    delete_promises,
    is_family,
    load_contents,
    load_photo_of,
    load_photo_state,
    load_promise,
    load_promises,
    upload_id,
)

_YOUNG = timedelta(minutes=1)  # the client may still tell us
_LATE = timedelta(hours=1)  # an upload that began before its URL expired may end after


@dataclass(frozen=True, slots=True)
class Brought:
    """A photo that came in: what became of it, and how far it is."""

    fate: Fate
    photo: PhotoState


@dataclass(frozen=True, slots=True)
class Promised:
    """Where the content may be put until `expires_at`; without `signed`, it comes through us.

    `photo` is set instead if the family has this content.
    """

    upload_id: UUID
    expires_at: datetime
    signed: SignedPut | None = None
    photo: PhotoState | None = None


@dataclass(frozen=True, slots=True)
class CompletedUploads:
    """What became of promises that nobody had kept in time."""

    completed: int = 0
    dropped: int = 0


def bring_photo(
    context: Context, family: FamilyId, name: str, file: BinaryIO, *, taken_at: datetime | None = None
) -> Brought:
    """Store and register a photo or video; raises NameTakenError, other PhotoErrors and UnknownFamilyError."""
    content = check_file(file, context.settings, "the file")
    photo = new_photo(family, name, content, taken_at=taken_at, otherwise=context.clock())
    found = store_photo(context, family, photo, file)
    if found.fate is Fate.NAME_TAKEN:
        raise _name_taken()
    return _brought(context, family, found)


def promise_upload(
    context: Context, family: FamilyId, name: str, content: tuple[bytes, int], *, taken_at: datetime | None = None
) -> Promised:
    """Let somebody bring content of this SHA-256 and size; raises as `bring_photo` does."""
    sha256, size = content
    check_length(size, context.settings, "the file", video=True)
    now = context.clock()
    photo = new_photo(family, name, content, taken_at=taken_at, otherwise=now)
    expires_at = now + timedelta(seconds=context.settings.upload_seconds)
    if known := _known(context, family, photo):
        return Promised(upload_id(sha256), expires_at, photo=known)
    promise_photos(context, family, [photo])
    seconds = context.settings.upload_seconds
    signed = context.objects.presign_put(original_key(family, sha256), sha256=sha256, size=size, seconds=seconds)
    return Promised(upload_id(sha256), expires_at, signed)


def complete_upload(context: Context, family: FamilyId, upload: UUID) -> Brought:
    """Register what was put where it was promised; raises UnknownUploadError, NotUploadedError and PhotoErrors."""
    promise = _load(context, family, upload)
    if isinstance(promise, PhotoState):
        return Brought(Fate.KNOWN, promise)
    found = register_original(context, family, promise.sha256)
    if found is None:
        raise NotUploadedError("the promised bytes must be in the object store first; put them there by the signed URL")
    return _brought(context, family, found)


def receive_upload(context: Context, family: FamilyId, upload: UUID, file: BinaryIO) -> Brought:
    """Take promised content from a file; raises UnknownUploadError and PhotoErrors."""
    promise = _load(context, family, upload)
    if isinstance(promise, PhotoState):
        return Brought(Fate.KNOWN, promise)
    content = check_file(file, context.settings, "the file")
    if content[0] != promise.sha256:
        raise WrongContentError(f"the content must have the SHA-256 {promise.sha256.hex()} that was promised")
    photo = new_photo(family, promise.key, content, taken_at=promise.taken_at, otherwise=context.clock())
    return _brought(context, family, store_photo(context, family, photo, file, rename=True))


def photo_state(context: Context, family: FamilyId, photo: PhotoId) -> PhotoState:
    """How far a photo is; raises UnknownFamilyError and UnknownPhotoError."""
    with context.database.begin() as transaction:
        if not is_family(transaction, family):
            raise UnknownFamilyError(f"no family has the id {family}")
        found = load_photo_state(transaction, family, photo)
    if found is None:
        raise UnknownPhotoError(f"the family has no photo of the id {photo}; it may have been deleted")
    return found


def complete_promised_uploads(context: Context, limit: int) -> CompletedUploads:
    """Register what came without a word, of the `limit` oldest promises, and drop what expired and never came.

    What can't be registered is parked, and its promise dropped.  Raises errors that may pass.
    """
    now = context.clock()
    with context.database.begin() as transaction:
        promises = load_promises(transaction, limit, before=now - _YOUNG)
    completed = dropped = 0
    for promise in promises:
        with _parking(context, promise):
            if register_original(context, promise.family_id, promise.sha256):
                completed += 1
            elif promise.expires_at + _LATE < now:
                _drop(context, promise)
                dropped += 1
    return CompletedUploads(completed, dropped)


@contextmanager
def _parking(context: Context, promise: Promise) -> Iterator[None]:
    try:
        yield
    except FacealbumError as error:
        if error.retryable:
            raise
        message = OriginalKey(promise.family_id, promise.sha256).to_json()
        park(context, EVENTS, message, error=(error.code, place_of(error)), attempts=1)
        _drop(context, promise)


def _drop(context: Context, promise: Promise) -> None:
    with context.database.begin() as transaction:
        delete_promises(transaction, promise.family_id, [promise.sha256])


def _known(context: Context, family: FamilyId, photo: NewPhoto) -> PhotoState | None:
    """The photo that has this content, if there is one whose bytes are there; raises NameTakenError."""
    content = photo.sha256 or b""
    with context.database.begin() as transaction:
        owner = load_owners(transaction, family, [content]).get(content)
        if owner is None and load_contents(transaction, family, [photo.photo_id]).get(photo.photo_id):
            raise _name_taken()
        state = owner and load_photo_state(transaction, family, owner)
    return state if state and context.objects.exists(original_key(family, content)) else None


def _load(context: Context, family: FamilyId, upload: UUID) -> Promise | PhotoState:
    """The promise, or the photo that it became."""
    with context.database.begin() as transaction:
        found = load_promise(transaction, family, upload) or load_photo_of(transaction, family, upload)
    if found is None:
        raise UnknownUploadError(
            "there must be a promised upload of this id; it may have expired, so ask for a new one"
        )
    return found


def _brought(context: Context, family: FamilyId, found: Registered) -> Brought:
    return Brought(found.fate, photo_state(context, family, found.photo_id))


def _name_taken() -> NameTakenError:
    return NameTakenError("the family has other content under this name; give the new picture a name of its own")
