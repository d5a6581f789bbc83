"""Who somebody is, and what they may."""

from facealbum.errors.root import FacealbumError, InvalidValueError


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


class UnknownUserError(InvalidValueError):
    """No user is called so."""

    code = "unknown_user"


class UnknownTokenError(InvalidValueError):
    """No token of this name is good."""

    code = "unknown_token"
