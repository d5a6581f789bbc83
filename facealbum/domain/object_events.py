"""What an object store tells of its objects, in each form in which it arrives through a queue.

Forms: the records of S3, bare or inside a notification of SNS; an event of EventBridge; the test event that S3 sends
when notifications are set up.  All that is read of an event is whose object it is about: the object itself tells what
became of it, so events may come twice, late or in any order.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from facealbum.domain.ids import FamilyId
from facealbum.errors import BadMessageError

_DEPTH = 3  # SNS around EventBridge around an event is the deepest that there is
_CHANGES = ("ObjectCreated", "ObjectRemoved", "LifecycleExpiration", "ObjectRestore")
_DETAILS = frozenset({"Object Created", "Object Deleted", "Object Restore Completed"})
_ORIGINAL = re.compile(r"families/([0-9a-f-]{36})/originals/([0-9a-f]{64})")
_UPLOAD = re.compile(r"families/([0-9a-f-]{36})/uploads/(.*[^/])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class OriginalKey:
    """The object that holds a photo's bytes."""

    family_id: FamilyId
    sha256: bytes

    def to_json(self) -> dict[str, str]:
        """As it is set aside."""
        key = f"families/{self.family_id}/originals/{self.sha256.hex()}"
        return {"family_id": str(self.family_id), "key": key}


@dataclass(frozen=True, slots=True)
class UploadKey:
    """The object that another program has put for us to take in; `key` is the whole key, `name` its last part."""

    family_id: FamilyId
    key: str
    name: str

    def to_json(self) -> dict[str, str]:
        """As it is set aside."""
        return {"family_id": str(self.family_id), "key": self.key}


@dataclass(frozen=True, slots=True)
class ObjectEvents:
    """The keys of a body that concern us, each once, and how many of its events don't."""

    keys: tuple[OriginalKey | UploadKey, ...]
    ignored: int = 0


def parse_object_events(body: str, *, bucket: str, prefix: str = "") -> ObjectEvents:
    """Read the body of a message about objects of the bucket below the prefix ("" or "some/folder/").

    Raises BadMessageError if it is of none of the forms.
    """
    keys: dict[OriginalKey | UploadKey, None] = {}
    ignored = 0
    for event in _events(_object(body), _DEPTH):
        whose, key = _place(event)
        found = parse_key(key.removeprefix(prefix)) if whose == bucket and key.startswith(prefix) else None
        if found is None:
            ignored += 1
        else:
            keys[found] = None
    return ObjectEvents(tuple(keys), ignored)


def parse_key(key: str) -> OriginalKey | UploadKey | None:
    """What an object is for; None if it is none of ours."""
    if found := _ORIGINAL.fullmatch(key):
        return OriginalKey(FamilyId(UUID(found[1])), bytes.fromhex(found[2])) if _is_uuid(found[1]) else None
    if found := _UPLOAD.fullmatch(key):
        return UploadKey(FamilyId(UUID(found[1])), key, found[2]) if _is_uuid(found[1]) else None
    return None


def _is_uuid(text: str) -> bool:
    """Whether it is a UUID in the form that our keys have; Python reads others too."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _object(body: object) -> Mapping[str, Any]:
    try:
        found = json.loads(body) if isinstance(body, str) else body
    except (ValueError, RecursionError) as error:
        raise BadMessageError("the body of a message must be JSON") from error
    if not isinstance(found, Mapping):
        raise BadMessageError(f"the body of a message must be a JSON object, got {type(found).__name__}")
    return found


def _events(body: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    """Each event of the body; a test event is none."""
    if body.get("Event") == "s3:TestEvent":
        return
    if body.get("Type") == "Notification" and "Message" in body and depth:
        yield from _events(_object(body["Message"]), depth - 1)
    elif isinstance(body.get("Records"), Sequence) and not isinstance(body["Records"], str):
        for record in body["Records"]:
            yield _object(record)
    elif body.get("source") == "aws.s3" and "detail" in body:
        yield body
    else:
        raise BadMessageError("the body of a message must hold the records of S3, or an event of aws.s3")


def _place(event: Mapping[str, Any]) -> tuple[str, str]:
    """Bucket and key that an event is about, empty if it is about no change of an object."""
    if "detail" in event:
        if event.get("detail-type") not in _DETAILS:
            return "", ""
        return _named(event["detail"])  # EventBridge doesn't encode keys
    if not str(event.get("eventName", "")).removeprefix("s3:").startswith(_CHANGES):
        return "", ""
    bucket, key = _named(event.get("s3"))
    return bucket, unquote_plus(key)


def _named(about: object) -> tuple[str, str]:
    try:
        bucket, key = about["bucket"]["name"], about["object"]["key"]  # type: ignore[index]
    except (KeyError, TypeError) as error:
        raise BadMessageError("an event must name its bucket and its object's key") from error
    if not isinstance(bucket, str) or not isinstance(key, str):
        raise BadMessageError("the names of an event's bucket and object must be text")
    return bucket, key
