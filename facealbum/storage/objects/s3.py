"""S3, or any server that speaks it; credentials and endpoint come from the usual AWS variables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from facealbum.errors import ObjectNotFoundError, StorageError
from facealbum.storage.objects.protocol import check_key, check_prefix

_MISSING = {"404", "NoSuchKey", "NotFound"}
_MOST_DELETED_AT_ONCE = 1000


class S3ObjectStore:
    """Objects of a bucket below a prefix; `client` is a boto3 S3 client, made from the environment by default."""

    def __init__(self, bucket: str, prefix: str = "", *, client: Any = None) -> None:  # noqa: ANN401 - boto3 has no types
        self.bucket = bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client = client or boto3.client("s3", config=Config(retries={"mode": "standard", "max_attempts": 4}))

    def put(self, key: str, data: bytes) -> None:
        """Store the bytes, in place of any that are there."""
        with self._translated(key):
            self._client.put_object(Bucket=self.bucket, Key=self._name(key), Body=data)

    def get(self, key: str) -> bytes:
        """The bytes; raises ObjectNotFoundError."""
        with self._translated(key):
            data: bytes = self._client.get_object(Bucket=self.bucket, Key=self._name(key))["Body"].read()
            return data

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        try:
            with self._translated(key):
                self._client.head_object(Bucket=self.bucket, Key=self._name(key))
        except ObjectNotFoundError:
            return False
        return True

    def delete(self, key: str) -> None:
        """Delete the object if it is there."""
        with self._translated(key):
            self._client.delete_object(Bucket=self.bucket, Key=self._name(key))

    def delete_prefix(self, prefix: str) -> int:
        """Delete every object whose key starts with the prefix; tells how many there were."""
        names = [self.prefix + key for key in self.keys(prefix)]
        for start in range(0, len(names), _MOST_DELETED_AT_ONCE):
            batch = [{"Key": name} for name in names[start : start + _MOST_DELETED_AT_ONCE]]
            with self._translated(prefix):
                answer = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": batch, "Quiet": True})
            if answer.get("Errors"):
                raise StorageError(f"{len(answer['Errors'])} objects below {prefix!r} could not be deleted; try again")
        return len(names)

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that start with the prefix, sorted."""
        below = self.prefix + check_prefix(prefix)
        with self._translated(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=below):
                for item in page.get("Contents", ()):
                    yield item["Key"].removeprefix(self.prefix)

    def describe(self) -> str:
        """The bucket and prefix."""
        return f"s3://{self.bucket}/{self.prefix}"

    def _name(self, key: str) -> str:
        return self.prefix + check_key(key)

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _MISSING:
                raise ObjectNotFoundError(f"there is no object {key!r} in {self.describe()}") from error
            raise StorageError(f"{self.describe()} refused {key!r}: {code}; check bucket and credentials") from error
        except BotoCoreError as error:
            raise StorageError(f"{self.describe()} did not answer for {key!r}: {error}") from error
