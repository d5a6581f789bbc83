"""What an object store may tell is read or refused, whatever its form, and keys come back as they were."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.ids import FamilyId
from facealbum.domain.object_events import OriginalKey, UploadKey, parse_key, parse_object_events
from facealbum.errors import BadMessageError

FAMILY = FamilyId(UUID(int=1))
ORIGINAL = f"families/{FAMILY}/originals/{'ab' * 32}"
names = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda name: not name.endswith("/"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def record(key: str, event: str = "ObjectCreated:Put", bucket: str = "photos") -> dict[str, Any]:
    about = {"bucket": {"name": bucket}, "object": {"key": key, "versionId": "v1", "sequencer": "0055"}}
    return {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": event, "s3": about}


def body(*records: object) -> str:
    return json.dumps({"Records": records})


def in_sns(message: str) -> str:
    return json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:eu:1:t", "Message": message})


def from_eventbridge(key: str, kind: str = "Object Created") -> str:
    detail = {"bucket": {"name": "photos"}, "object": {"key": key, "version-id": "v1"}}
    return json.dumps({"version": "0", "source": "aws.s3", "detail-type": kind, "detail": detail})


@given(name=names, encode=st.sampled_from([quote, quote_plus, lambda key: quote(key, safe="")]), sns=st.booleans())
def test_a_key_comes_back_however_it_was_encoded(name: str, encode: Any, *, sns: bool) -> None:  # noqa: ANN401
    key = f"families/{FAMILY}/uploads/{name}"
    text = body(record(encode(f"some/folder/{key}")))
    found = parse_object_events(in_sns(text) if sns else text, bucket="photos", prefix="some/folder/")
    assert found.keys == (UploadKey(FAMILY, key, name),)


@given(name=names)
def test_eventbridge_tells_keys_as_they_are(name: str) -> None:
    key = f"families/{FAMILY}/uploads/{name}"
    assert parse_object_events(from_eventbridge(key), bucket="photos").keys == (UploadKey(FAMILY, key, name),)


@given(st.text() | values.map(json.dumps) | st.builds(lambda one: json.dumps({"Records": one}), values))
def test_what_is_no_event_is_one_error_of_ours(text: str) -> None:
    with suppress(BadMessageError):
        assert not parse_object_events(text, bucket="photos").keys


@given(damage=values, where=st.sampled_from(["eventName", "s3", "bucket", "object", "name", "key"]))
def test_a_damaged_record_is_refused_or_ignored(damage: object, where: str) -> None:
    damaged = record(ORIGINAL)
    for part in (damaged, damaged["s3"], damaged["s3"]["bucket"], damaged["s3"]["object"]):
        if where in part:
            part[where] = damage
    with suppress(BadMessageError):
        assert not parse_object_events(body(damaged), bucket="photos").keys


def test_deep_json_is_refused() -> None:
    with pytest.raises(BadMessageError):
        parse_object_events("[" * 100_000, bucket="photos")


def test_the_test_event_holds_nothing() -> None:
    test = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "photos", "RequestId": "1"})
    for text in (test, in_sns(test)):
        assert parse_object_events(text, bucket="photos").keys == ()


@pytest.mark.parametrize(
    "event",
    ["ObjectCreated:Put", "s3:ObjectCreated:CompleteMultipartUpload", "ObjectRemoved:DeleteMarkerCreated",
     "LifecycleExpiration:Delete", "ObjectCreated:SomethingNew"],
)  # fmt: skip
def test_every_change_of_an_object_is_a_hint(event: str) -> None:
    assert parse_object_events(body(record(ORIGINAL, event)), bucket="photos").keys == (
        OriginalKey(FAMILY, bytes.fromhex("ab" * 32)),
    )


@pytest.mark.parametrize(
    "other",
    [
        record(ORIGINAL, "ReducedRedundancyLostObject"),
        record(ORIGINAL, "ObjectTagging:Put"),
        record(ORIGINAL, bucket="another"),
        record("another/" + ORIGINAL),
        record(f"families/{FAMILY}/uploads/folder/"),
        record(f"families/{FAMILY}/originals/{'ab' * 31}"),
        record(f"families/{FAMILY}/originals/{'AB' * 32}"),
        record("families/" + "0" * 36 + "/uploads/a.jpg"),
        record(""),
    ],
)
def test_what_does_not_concern_us_is_counted_and_ignored(other: dict[str, Any]) -> None:
    found = parse_object_events(body(other, record(ORIGINAL), other), bucket="photos")
    assert len(found.keys) == 1
    assert found.ignored == 2


def test_events_of_one_object_are_one_hint() -> None:
    found = parse_object_events(body(record(ORIGINAL), record(ORIGINAL, "ObjectRemoved:Delete")), bucket="photos")
    assert found.keys == (parse_key(ORIGINAL),)


@pytest.mark.parametrize("kind", ["Object Created", "Object Deleted", "Object Tags Added"])
def test_eventbridge_tells_of_changes_too(kind: str) -> None:
    found = parse_object_events(in_sns(from_eventbridge(ORIGINAL, kind)), bucket="photos")
    assert (len(found.keys), found.ignored) == ((0, 1) if kind == "Object Tags Added" else (1, 0))
