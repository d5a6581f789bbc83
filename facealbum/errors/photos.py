"""Photos and videos, and how they come in."""

from facealbum.errors.root import FacealbumError


class ManifestError(FacealbumError):
    """A CSV manifest, or a row of one, can't be used."""

    code = "bad_manifest"


class PhotoError(FacealbumError):
    """One photo can't be analysed; the reason is kept with the photo and the rest goes on."""

    code = "bad_photo"


class MissingFileError(PhotoError):
    """The file that a manifest names is not there or can't be read."""

    code = "missing_file"


class EmptyFileError(PhotoError):
    """The file has no bytes."""

    code = "empty_file"


class UnknownFormatError(PhotoError):
    """The bytes are of no image format that we read."""

    code = "unknown_format"


class DamagedImageError(PhotoError):
    """The format is known but the picture can't be decoded whole."""

    code = "damaged_image"


class ImageSizeError(PhotoError):
    """The picture has no pixels, or more than the limit."""

    code = "image_size"


class NoFaceError(PhotoError):
    """The picture shows no face, where one is asked for."""

    code = "no_face"


class NoPictureError(PhotoError):
    """The video has no pictures, or none of a codec that we read."""

    code = "no_picture"


class VideoLengthError(PhotoError):
    """The video is longer than the limit."""

    code = "video_length"


class DamagedVideoError(PhotoError):
    """The container is known but the video can't be read whole."""

    code = "damaged_video"


class NameTakenError(PhotoError):
    """The family has other content under this name."""

    code = "name_taken"


class WrongContentError(PhotoError):
    """The bytes are not those that the SHA-256 promised."""

    code = "wrong_content"


class UnknownPhotoError(FacealbumError):
    """The family has no such photo."""

    code = "unknown_photo"


class NotAnalysedError(FacealbumError):
    """The photo was not analysed yet, or can't be."""

    code = "not_analysed"


class UnknownUploadError(FacealbumError):
    """The family was promised no such upload, or it has expired."""

    code = "unknown_upload"


class NotUploadedError(FacealbumError):
    """The promised bytes have not arrived yet."""

    code = "not_uploaded"
