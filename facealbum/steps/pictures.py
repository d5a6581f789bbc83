"""A face cut out, or a photo made small, as a JPEG from the family's original.

A picture that was made once is kept beside the original and goes with it.  Made anew it costs reading its upload and
decoding it, no larger than the picture needs; what analysis has not decoded whole before isn't shown, so that a hostile
file meets the processes that are made for it.
"""

from hashlib import sha256

from eval.report import ROOM, crop_face, shrink_photo
from facealbum.domain.faces import Box
from facealbum.domain.ids import FaceId, FamilyId, PhotoId
from facealbum.domain.photos import original_key
from facealbum.errors import NotAnalysedError, ObjectNotFoundError, UnknownFaceError, UnknownPhotoError
from facealbum.steps.context import Context
from facealbum.storage.pictures import Picture, hold_upload, load_face_picture, load_photo_picture, pictures_prefix
from models.containers import is_video
from models.decode import Photo, decode
from models.limits import PASSED
from models.video import read_frames

_VERSION = "1"  # of how pictures are made
_KEPT_STEP = 16  # sizes that this divides are kept, so that nobody fills the store by asking for every size


def find_face(context: Context, family: FamilyId, face: FaceId) -> Picture:
    """Where the face can be seen; raises UnknownFaceError."""
    with context.database.begin() as transaction:
        found = load_face_picture(transaction, family, face)
    if found is None:
        raise UnknownFaceError(f"the family has no face of the id {face}; its photo may have been deleted")
    return found


def find_photo(context: Context, family: FamilyId, photo: PhotoId) -> Picture:
    """Where the photo, video or frame can be seen; raises UnknownPhotoError and NotAnalysedError."""
    with context.database.begin() as transaction:
        found = load_photo_picture(transaction, family, photo)
    if found is None:
        raise UnknownPhotoError(f"the family has no photo of the id {photo}; it may have been deleted")
    if not found.analysed:
        raise NotAnalysedError("the photo must be analysed before it can be shown; its state tells how far it is")
    return found


def tag_of(picture: Picture, *, size: int) -> str:
    """A name for exactly this picture in this size: what differs in a pixel has another one."""
    return sha256(f"{_VERSION} {size} {picture}".encode()).hexdigest()[:32]


def render_picture(context: Context, family: FamilyId, picture: Picture, *, size: int) -> bytes:
    """JPEG: of a face size x size pixels, of a photo at most that long; raises StorageErrors."""
    if size % _KEPT_STEP:
        return _render(context, family, picture, size)
    key = f"{pictures_prefix(family, picture.sha256)}{tag_of(picture, size=size)}"
    try:
        return context.objects.get(key)
    except ObjectNotFoundError:
        made = _render(context, family, picture, size)
    with context.database.begin() as transaction:
        if hold_upload(transaction, family, picture.sha256):
            context.objects.put(key, made)
    return made


def _render(context: Context, family: FamilyId, picture: Picture, size: int) -> bytes:
    data = context.objects.get(original_key(family, picture.sha256))
    seen = _decoded(data, picture, size)
    if picture.box is None:
        return shrink_photo(seen.pixels, size=size)
    across, down = seen.scale
    box = picture.box
    return crop_face(seen.pixels, Box(box.x1 / across, box.y1 / down, box.x2 / across, box.y2 / down), size=size)


def _decoded(data: bytes, picture: Picture, size: int) -> Photo:
    if is_video(data):
        return next(photo for _, photo in read_frames(data, [picture.frame_ms or 0]))
    longer = max(picture.width, picture.height)
    shown = longer if picture.box is None else ROOM * max(picture.box.width, picture.box.height, 1)
    return decode(data, limits=PASSED, working_side=round(longer * min(1.0, size / shown)))
