"""Objects in a bucket of S3 or of a server that speaks S3.

Credentials, region and endpoint come from boto3's standard environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL_S3 ...).
A client must not be shared with forked processes: open the store in the process that uses it.
"""

from base64 import b64decode, b64encode
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO

from facealbum.errors import ObjectNotFoundError, ObjectStoreUnavailableError, StorageError
from facealbum.storage.objects.protocol import (
    CHUNK_BYTES,
    ObjectState,
    SignedPut,
    check_deletion,
    check_key,
    check_prefix,
)

_TOO_MANY = 429
_SERVER_ERRORS = 500
_MISSING = {"NoSuchKey", "404"}
_CHANGED = "PreconditionFailed"
_SHA256_BYTES = 32


class S3ObjectStore:
    """The objects of one bucket whose keys start with `prefix`/, or all of them without a prefix.

    patient: tries again where the server does not answer.  options: keyword arguments for boto3's client, over the
    environment.
    """

    def __init__(self, bucket: str, prefix: str = "", *, patient: bool = True, **options: Any) -> None:  # noqa: ANN401 - boto3's own
        import boto3  # noqa: PLC0415 - half a second, and only needed with S3
        from botocore.config import Config  # noqa: PLC0415

        patience = Config(
            retries={"mode": "standard", "max_attempts": 5 if patient else 1},
            connect_timeout=10 if patient else 2,
            read_timeout=60 if patient else 3,
            signature_version="s3v4",
        )
        self._bucket = bucket
        self._prefix = f"{check_key(prefix)}/" if prefix else ""
        with self._translated(prefix):
            self._client = boto3.client("s3", **{"config": patience, **options})

    @property
    def bucket(self) -> str:
        """Its name."""
        return self._bucket

    @property
    def prefix(self) -> str:
        """What comes before our keys: empty, or it ends with a slash."""
        return self._prefix

    def put(self, key: str, data: bytes) -> None:
        """Store the object, over an earlier one of this key."""
        with self._translated(key):
            self._client.put_object(**self._at(key), Body=data)

    def put_file(self, key: str, file: BinaryIO, *, sha256: bytes) -> None:
        """The same from a file, which the server holds against this SHA-256."""
        file.seek(0)
        with self._translated(key):
            self._client.put_object(**self._at(key), Body=file, ChecksumSHA256=_base64(sha256))

    def presign_put(self, key: str, *, sha256: bytes, size: int, seconds: int) -> SignedPut | None:
        """A URL that takes this content alone: the server checks its SHA-256 and its length."""
        content = {"ChecksumSHA256": _base64(sha256), "ContentLength": size}
        with self._translated(key):
            url = self._client.generate_presigned_url("put_object", {**self._at(key), **content}, seconds)
        return SignedPut(url, {"x-amz-checksum-sha256": _base64(sha256), "content-length": str(size)})

    def get(self, key: str) -> bytes:
        """The object's bytes, or `ObjectNotFoundError`."""
        with self._translated(key), closing(self._client.get_object(**self._at(key))["Body"]) as body:
            data: bytes = body.read()
            return data

    def chunks(self, key: str) -> Generator[bytes, None, None]:
        """The object's bytes in parts, or `ObjectNotFoundError`."""
        with self._translated(key), closing(self._client.get_object(**self._at(key))["Body"]) as body:
            yield from body.iter_chunks(CHUNK_BYTES)

    def head(self, key: str) -> ObjectState | None:
        """The object's state, None if it isn't there."""
        try:
            with self._translated(key):
                found = self._client.head_object(**self._at(key), ChecksumMode="ENABLED")
        except ObjectNotFoundError:
            self._check_bucket(key)
            return None
        return ObjectState(found["ContentLength"], found["LastModified"], found["ETag"], _sha256(found))

    def exists(self, key: str) -> bool:
        """Whether there is an object of this key."""
        return self.head(key) is not None

    def delete(self, key: str, *, mark: str | None = None) -> None:
        """Remove the object if it is there, and still has the mark if one is given."""
        condition = {} if mark is None else {"IfMatch": mark}
        with self._translated(key):
            try:
                self._client.delete_object(**self._at(key), **condition)
            except self._client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] not in {_CHANGED, *_MISSING}:
                    raise

    def delete_prefix(self, prefix: str) -> int:
        """Remove every object whose key starts with the prefix, which is not empty, and give their number."""
        check_deletion(prefix)
        number = 0
        with self._translated(prefix):
            for page in self._pages(prefix):
                batch = {"Objects": [{"Key": key} for key in page], "Quiet": True}
                response = self._client.delete_objects(Bucket=self._bucket, Delete=batch)
                if errors := response.get("Errors"):
                    raise StorageError(
                        f"{len(errors)} of {len(page)} objects below {prefix!r} in {self.describe()} were not deleted, "
                        f"the first {errors[0].get('Key')!r}: {errors[0].get('Message')}. Delete them again."
                    )
                number += len(page)
        return number

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that start with the prefix, in no promised order; the empty prefix means all."""
        check_prefix(prefix)
        with self._translated(prefix):
            for page in self._pages(prefix):
                for key in page:
                    yield key.removeprefix(self._prefix)

    def describe(self) -> str:
        """The bucket and the prefix."""
        return f"s3://{self._bucket}/{self._prefix}"

    def _check_bucket(self, key: str) -> None:
        """A bucket that is gone answers as an object that is gone, which may get a photo deleted: ask."""
        try:
            with self._translated(key):
                self._client.head_bucket(Bucket=self._bucket)
        except ObjectNotFoundError as error:
            raise StorageError(f"There is no bucket {self._bucket!r}; check FACEALBUM_OBJECT_STORE.") from error

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + check_key(key)}

    def _pages(self, prefix: str) -> Iterator[list[str]]:
        """The full keys below our prefix and this one, up to 1000 at a time, which is what one deletion takes."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        for page in pages:
            if found := [item["Key"] for item in page.get("Contents", ())]:
                yield found

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        """Botocore's errors as ours; the message names the key."""
        from botocore import exceptions  # noqa: PLC0415

        unreachable = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)
        try:
            yield
        except exceptions.ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code in _MISSING:
                raise ObjectNotFoundError(f"There is no object {key!r} in {self.describe()}.") from error
            kind = ObjectStoreUnavailableError if status >= _SERVER_ERRORS or status == _TOO_MANY else StorageError
            raise kind(self._failure(key, error)) from error
        except unreachable as error:
            raise ObjectStoreUnavailableError(self._failure(key, error)) from error
        except exceptions.BotoCoreError as error:
            raise StorageError(self._failure(key, error)) from error

    def _failure(self, key: str, error: Exception) -> str:
        return (
            f"{self.describe()} can't be used for {key!r} ({error}). Check the bucket, AWS_ENDPOINT_URL_S3, the "
            "region and the credentials."
        )


def _base64(sha256: bytes) -> str:
    return b64encode(sha256).decode()


def _sha256(found: dict[str, Any]) -> bytes | None:
    """The SHA-256 of the whole object; that of its parts, as multipart uploads have, is none."""
    told = str(found.get("ChecksumSHA256", ""))
    if not told or "-" in told:
        return None
    sha256 = b64decode(told)
    return sha256 if len(sha256) == _SHA256_BYTES else None
