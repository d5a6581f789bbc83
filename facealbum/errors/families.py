"""What families have, and what was decided about it."""

from collections.abc import Mapping

from facealbum.errors.root import FacealbumError, InvalidValueError


class UnknownFamilyError(FacealbumError):
    """No family is registered under this name."""

    code = "unknown_family"


class UnknownFaceError(InvalidValueError):
    """The family has no such face."""

    code = "unknown_face"


class UnknownPersonError(InvalidValueError):
    """The family has no such person under this arm."""

    code = "unknown_person"


class UnknownChildError(InvalidValueError):
    """The family has no such child."""

    code = "unknown_child"


class UnknownAlbumError(FacealbumError):
    """The family has no such album."""

    code = "unknown_album"


class UnknownDecisionError(FacealbumError):
    """The family has no decision of this number."""

    code = "unknown_decision"


class FamilyBusyError(FacealbumError):
    """Somebody else has been deciding about the family for longer than the caller waits."""

    code = "family_busy"
    retryable = True


class UnsettledError(FacealbumError):
    """What was known at an instant can't be told yet: what began before it is still being written."""

    code = "unsettled"
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
