"""Faces cut out of the family's originals, photos and frames of videos alike."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

from eval.report import crop_face
from facealbum.domain.faces import Box
from facealbum.domain.ids import FamilyId
from facealbum.domain.photos import original_key
from facealbum.errors import FacealbumError
from facealbum.steps.context import Context
from models.decode import Photo, decode
from models.limits import PASSED
from models.video import read_frames


class Seen(Protocol):
    """A face that can be looked at: in which upload, in a video at which moment, in which box of the upright image."""

    @property
    def sha256(self) -> bytes: ...  # noqa: D102 - of the upload
    @property
    def frame_ms(self) -> int | None: ...  # noqa: D102 - None for a photo
    @property
    def box(self) -> Box: ...  # noqa: D102 - in pixels


Face = TypeVar("Face", bound=Seen)


def cut_faces(context: Context, family: FamilyId, faces: Sequence[Face]) -> Iterator[tuple[Face, bytes]]:
    """Each face with its square JPEG; faces of an upload that can't be read any more are left out."""
    of_upload: dict[bytes, list[Face]] = defaultdict(list)
    for face in faces:
        of_upload[face.sha256].append(face)
    for sha256, its_faces in of_upload.items():
        try:
            shown = list(_shown(context.objects.get(original_key(family, sha256)), its_faces))
        except FacealbumError:
            continue
        yield from ((face, _crop(face, photo)) for face, photo in shown)


def _shown(data: bytes, faces: Sequence[Face]) -> Iterator[tuple[Face, Photo]]:
    """Each face of one upload with the photo that it is in, or the frame of the video."""
    moments = {face.frame_ms for face in faces if face.frame_ms is not None}
    pictures = read_frames(data, moments) if moments else [(None, decode(data, limits=PASSED))]
    for moment, photo in pictures:
        yield from ((face, photo) for face in faces if face.frame_ms == moment)


def _crop(face: Seen, photo: Photo) -> bytes:
    across, down = photo.scale
    box = Box(face.box.x1 / across, face.box.y1 / down, face.box.x2 / across, face.box.y2 / down)
    return crop_face(photo.pixels, box)
