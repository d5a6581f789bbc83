"""Databases, object stores and queues, and requests and messages that are sent again."""

from facealbum.errors.root import FacealbumError, InvalidValueError


class BadMessageError(InvalidValueError):
    """A message of a queue is not of a form that its version has."""

    code = "bad_message"


class UnknownVersionError(BadMessageError):
    """A message of a queue is of a version that this release doesn't know; a newer one may."""

    code = "unknown_version"


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


class BrokerUnavailableError(FacealbumError):
    """The broker of the queues can't be reached, or doesn't confirm what it was given."""

    code = "broker_unavailable"
    retryable = True
