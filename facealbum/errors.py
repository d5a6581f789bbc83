"""All errors that facealbum raises on purpose.

A message says what was expected, what was found and what to do.  `code` is stable and is what tables, logs and
machine-readable output carry; `retryable` says whether the same call may succeed later without any change.
"""

from collections.abc import Mapping


class FacealbumError(Exception):
    """The root: catch this to catch every error of ours."""

    code = "error"
    retryable = False


class InvalidValueError(FacealbumError, ValueError):
    """A parameter, setting or field is outside of what it may be."""

    code = "invalid_value"


class BadMessageError(InvalidValueError):
    """A message of a queue is not of a form that its version has."""

    code = "bad_message"


class UnknownVersionError(BadMessageError):
    """A message of a queue is of a version that this release doesn't know; a newer one may."""

    code = "unknown_version"


class UnknownFamilyError(FacealbumError):
    """No family is registered under this name."""

    code = "unknown_family"


class ForbiddenError(FacealbumError):
    """The caller is known and may not do this."""

    code = "forbidden"


class SignInError(FacealbumError):
    """No user has this name and password; which of them is wrong is not told."""

    code = "wrong_sign_in"


class TooManyAttemptsError(FacealbumError):
    """Signing in was tried too often lately, by this name or from this address."""

    code = "too_many_attempts"


class ProviderError(FacealbumError):
    """The provider that vouches for users can't be reached, or isn't the one of the settings."""

    code = "provider"
    retryable = True


class UnknownFaceError(InvalidValueError):
    """The family has no such face."""

    code = "unknown_face"


class UnknownPersonError(InvalidValueError):
    """The family has no such person under this arm."""

    code = "unknown_person"


class UnknownChildError(InvalidValueError):
    """The family has no such child."""

    code = "unknown_child"


class UnknownDecisionError(FacealbumError):
    """The family has no decision of this number."""

    code = "unknown_decision"


class ConflictError(InvalidValueError):
    """What is asked for can't be beside what is: a name is taken, or the thing is in a state that doesn't allow it."""

    code = "conflict"


class UnknownRunError(InvalidValueError):
    """No monthly job has this number, or the family no run with this id."""

    code = "unknown_run"


class UnknownArmError(InvalidValueError):
    """No arm is called so."""

    code = "unknown_arm"


class UnknownExperimentError(InvalidValueError):
    """No experiment, or search over parameters, is called so."""

    code = "unknown_experiment"


class UnknownUserError(InvalidValueError):
    """No user is called so."""

    code = "unknown_user"


class UnknownTokenError(InvalidValueError):
    """No token of this name is good."""

    code = "unknown_token"


class UnknownItemError(InvalidValueError):
    """The sample has no such item."""

    code = "unknown_item"


class NothingMeasuredError(InvalidValueError):
    """No month was measured that the question is about."""

    code = "nothing_measured"


class UnknownSampleError(FacealbumError):
    """No sample was drawn under this name."""

    code = "unknown_sample"


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


class UnknownAlbumError(FacealbumError):
    """The family has no such album."""

    code = "unknown_album"


class NotAnalysedError(FacealbumError):
    """The photo was not analysed yet, or can't be."""

    code = "not_analysed"


class UnknownUploadError(FacealbumError):
    """The family was promised no such upload, or it has expired."""

    code = "unknown_upload"


class NotUploadedError(FacealbumError):
    """The promised bytes have not arrived yet."""

    code = "not_uploaded"


class KeyReusedError(FacealbumError):
    """A request came with the idempotency key of another one."""

    code = "key_reused"


class KeyInUseError(FacealbumError):
    """The request with this idempotency key is being worked on."""

    code = "key_in_use"


class KeySpentError(FacealbumError):
    """The request with this idempotency key was done, and what it was answered is told only once."""

    code = "key_spent"


class StorageError(FacealbumError):
    """A database or an object store refused, or can't be reached."""

    code = "storage"


class ObjectNotFoundError(StorageError):
    """No object has this key."""

    code = "object_not_found"


class ObjectStoreUnavailableError(StorageError):
    """The object store can't be reached or is overloaded."""

    code = "object_store_unavailable"
    retryable = True


class DatabaseUnavailableError(StorageError):
    """The database can't be started or reached."""

    code = "database_unavailable"
    retryable = True


class FamilyBusyError(FacealbumError):
    """Somebody else has been deciding about the family for longer than the caller waits."""

    code = "family_busy"
    retryable = True


class UnsettledError(FacealbumError):
    """What was known at an instant can't be told yet: what began before it is still being written."""

    code = "unsettled"
    retryable = True


class BrokerUnavailableError(FacealbumError):
    """The broker of the queues can't be reached, or doesn't confirm what it was given."""

    code = "broker_unavailable"
    retryable = True


class ModelError(FacealbumError):
    """A packaged model is missing, damaged or of another version than its manifest says."""

    code = "model"


class UnknownModelError(ModelError):
    """No packaged model and no entry of the catalogue has this name."""

    code = "unknown_model"


class ModelNotInstalledError(ModelError):
    """The model is known, but its weights, or what it needs to be trained, are not on this machine."""

    code = "model_not_installed"


class ChecksumError(ModelError):
    """A file has not the checksum that was expected of it."""

    code = "checksum"


class IncompatibleError(FacealbumError):
    """Albums would lose persons in another embedding space, or nobody has measured yet whether they would."""

    code = "incompatible"


class RefusedError(FacealbumError):
    """Gates refuse a model's next stage; the message says which, and what to do."""

    code = "refused"


class DownloadError(ModelError):
    """A file can't be fetched."""

    code = "download"
    retryable = True


class ContradictionError(FacealbumError):
    """Earlier decisions of users rule this one out; `numbers` are theirs."""

    code = "contradiction"

    def __init__(self, message: str, *, numbers: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.numbers = numbers


class ChangedMeanwhileError(FacealbumError):
    """What the caller decided about is no longer as it was seen; `current` tells how it is, as plain values."""

    code = "changed_meanwhile"

    def __init__(self, message: str, *, current: Mapping[str, object]) -> None:
        super().__init__(message)
        self.current = current


class UndoError(FacealbumError):
    """The decision is undone already, or says nothing any more, or later ones build on it; `numbers` are theirs."""

    code = "undo"

    def __init__(self, message: str, *, numbers: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.numbers = numbers


class LeakageError(FacealbumError):
    """Something that a model is judged by was learnt from."""

    code = "leakage"


class StepFailedError(FacealbumError):
    """A step of a pipeline failed as often as it may be tried."""

    code = "step_failed"
