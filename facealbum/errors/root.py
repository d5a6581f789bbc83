"""What all errors descend from."""


class FacealbumError(Exception):
    """The root: catch this to catch every error of ours."""

    code = "error"
    retryable = False


class InvalidValueError(FacealbumError, ValueError):
    """A parameter, setting or field is outside of what it may be."""

    code = "invalid_value"


class ConflictError(InvalidValueError):
    """What is asked for can't be beside what is: a name is taken, or the thing is in a state that doesn't allow it."""

    code = "conflict"


def said_by(error: FacealbumError) -> str:
    """Its message as it was given: a sentence that other languages can say, where it was one."""
    message: str = error.args[0] if error.args else str(error)
    return message
