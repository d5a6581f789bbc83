"""However a photo comes in, it is one photo with its bytes and its message, and nothing that came is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from hashlib import sha256
from io import BytesIO
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from facealbum.domain.ids import family_id, photo_id
from facealbum.domain.object_events import OriginalKey, UploadKey
from facealbum.domain.photos import original_key
from facealbum.errors import (
    FacealbumError,
    ImageSizeError,
    NameTakenError,
    NotUploadedError,
    UnknownFamilyError,
    UnknownUploadError,
    WrongContentError,
)
from facealbum.steps.arrivals import Noticed, notice_object
from facealbum.steps.context import Context
from facealbum.steps.families import forget_family
from facealbum.steps.imports import import_folder
from facealbum.steps.outbox import list_parked
from facealbum.steps.photos import forget_photo
from facealbum.steps.register import Fate
from facealbum.steps.uploads import (
    bring_photo,
    complete_promised_uploads,
    complete_upload,
    photo_state,
    promise_upload,
    receive_upload,
)
from facealbum.storage.families import delete_family, save_family
from facealbum.storage.photos import load_known_photos

FAMILY = family_id("Mori")


@pytest.fixture
def world(context: Context) -> Context:
    """With a family, and a broker for which messages are written."""
    with context.database.begin() as transaction:
        save_family(transaction, "Mori", now=context.clock())
    return replace(context, settings=context.settings.model_copy(update={"broker_url": "memory://"}))


def later(world: Context, **ago: float) -> Context:
    return replace(world, clock=lambda: world.clock() + timedelta(**ago))


def names(world: Context) -> dict[str, bytes]:
    """What the family's photos are called, and what they hold; each has its bytes in the store."""
    with world.database.begin() as transaction:
        found = load_known_photos(transaction, FAMILY)
    return {photo.key: world.objects.get(original_key(FAMILY, photo.sha256 or b"")) for photo in found}


def number_of(world: Context, table: str) -> int:
    with world.database.begin() as transaction:
        return int(transaction.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 - our own


def original(content: bytes) -> OriginalKey:
    return OriginalKey(FAMILY, sha256(content).digest())


def upload(name: str) -> UploadKey:
    return UploadKey(FAMILY, f"families/{FAMILY}/uploads/{name}", name)


def test_a_photo_is_registered_with_its_bytes_and_its_message(world: Context) -> None:
    brought = bring_photo(world, FAMILY, "a.jpg", BytesIO(b"a"))
    assert (brought.fate, brought.photo.status) == (Fate.REGISTERED, "pending")
    assert brought.photo.photo_id == photo_id(FAMILY, "a.jpg")
    assert names(world) == {"a.jpg": b"a"}
    assert (number_of(world, "outbox"), number_of(world, "uploads")) == (1, 0)


def test_the_same_content_is_one_photo_whoever_brings_it(world: Context, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.jpg").write_bytes(b"same")
    world.objects.put(upload("c.jpg").key, b"same")
    first = bring_photo(world, FAMILY, "a.jpg", BytesIO(b"same"))
    again = [bring_photo(world, FAMILY, name, BytesIO(b"same")) for name in ("a.jpg", "other.jpg")]
    assert [one.fate for one in again] == [Fate.KNOWN, Fate.DUPLICATE]
    assert {one.photo.photo_id for one in again} == {first.photo.photo_id}
    assert import_folder(world, tmp_path / "in", "Mori").duplicates == 1
    assert notice_object(world, upload("c.jpg")) is Noticed.UNCHANGED
    assert promise_upload(world, FAMILY, "d.jpg", (sha256(b"same").digest(), 4)).photo == first.photo
    assert names(world) == {"a.jpg": b"same"}
    assert number_of(world, "outbox") == 1
    assert [key for key in world.objects.keys("") if "uploads" in key] == []


def test_uploads_of_one_content_at_once_register_it_once(world: Context) -> None:
    with ThreadPoolExecutor(6) as threads:
        brought = list(threads.map(lambda n: bring_photo(world, FAMILY, f"{n}.jpg", BytesIO(b"same")), range(6)))
    assert sorted(one.fate for one in brought) == [Fate.DUPLICATE] * 5 + [Fate.REGISTERED]
    assert number_of(world, "photos") == number_of(world, "outbox") == 1


def test_uploads_and_a_deletion_at_once_leave_no_photo_without_its_bytes(world: Context) -> None:
    def bring(number: int) -> None:
        bring_photo(world, FAMILY, "a.jpg", BytesIO(b"same"))
        if number % 2:
            with suppress_unknown():
                forget_photo(world, "Mori", "a.jpg")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(bring, range(24)))
    assert set(names(world).values()) <= {b"same"}


@contextmanager
def suppress_unknown() -> Iterator[None]:
    """Somebody else has deleted the photo."""
    try:
        yield
    except FacealbumError as error:
        if "nothing was deleted" not in str(error):
            raise


def test_other_content_under_a_known_name_is_refused_and_leaves_nothing(world: Context) -> None:
    bring_photo(world, FAMILY, "a.jpg", BytesIO(b"first"))
    with pytest.raises(NameTakenError):
        bring_photo(world, FAMILY, "a.jpg", BytesIO(b"second"))
    with pytest.raises(NameTakenError):
        promise_upload(world, FAMILY, "a.jpg", (sha256(b"second").digest(), 6))
    assert names(world) == {"a.jpg": b"first"}
    assert list(world.objects.keys("")) == [original_key(FAMILY, sha256(b"first").digest())]
    assert number_of(world, "uploads") == 0


def test_another_program_s_upload_of_a_known_name_is_kept_under_a_marked_one(world: Context) -> None:
    bring_photo(world, FAMILY, "a.jpg", BytesIO(b"first"))
    for _ in range(2):
        world.objects.put(upload("a.jpg").key, b"second")
        notice_object(world, upload("a.jpg"))
    assert names(world) == {"a.jpg": b"first", f"a.jpg~{sha256(b'second').hexdigest()[:16]}": b"second"}


def test_a_crash_between_bytes_and_row_is_made_good(world: Context) -> None:
    away = replace(world, database=_Failing(world.database, after=2))  # type: ignore[arg-type] - as much as is used
    with pytest.raises(ConnectionError):
        bring_photo(away, FAMILY, "a.jpg", BytesIO(b"a"))
    assert names(world) == {}
    assert complete_promised_uploads(world, 10).completed == 0, "the client may still be at it"
    assert complete_promised_uploads(later(world, minutes=2), 10).completed == 1
    assert names(world) == {"a.jpg": b"a"}
    assert (number_of(world, "outbox"), number_of(world, "uploads")) == (1, 0)


class _Failing:
    """A database whose transactions fail from some one on, as that of a process that dies does."""

    def __init__(self, database: object, *, after: int) -> None:
        self._begin: Callable[[], object] = database.begin  # type: ignore[attr-defined]
        self._numbers, self._after = count(1), after

    def begin(self) -> object:
        if next(self._numbers) >= self._after:
            raise ConnectionError
        return self._begin()


def test_a_promise_is_kept_by_whatever_hears_of_it_first(world: Context) -> None:
    content = sha256(b"a").digest(), 1
    promised = promise_upload(world, FAMILY, "a.jpg", content, taken_at=world.clock() - timedelta(days=9))
    assert promised.signed is None
    with pytest.raises(NotUploadedError):
        complete_upload(world, FAMILY, promised.upload_id)
    world.objects.put(original_key(FAMILY, content[0]), b"a")
    assert notice_object(world, original(b"a")) is Noticed.REGISTERED
    completed = complete_upload(world, FAMILY, promised.upload_id)
    assert (completed.fate, completed.photo.taken_at) == (Fate.KNOWN, world.clock() - timedelta(days=9))
    assert names(world) == {"a.jpg": b"a"}
    assert number_of(world, "outbox") == 1


def test_promised_content_comes_through_us_where_the_store_signs_nothing(world: Context) -> None:
    promised = promise_upload(world, FAMILY, "a.jpg", (sha256(b"a").digest(), 1))
    with pytest.raises(WrongContentError):
        receive_upload(world, FAMILY, promised.upload_id, BytesIO(b"b"))
    for fate in (Fate.REGISTERED, Fate.KNOWN):
        assert receive_upload(world, FAMILY, promised.upload_id, BytesIO(b"a")).fate is fate
    with pytest.raises(UnknownUploadError):
        receive_upload(world, FAMILY, UUID(int=1), BytesIO(b"a"))


def test_a_promise_that_nobody_keeps_is_dropped(world: Context) -> None:
    promised = promise_upload(world, FAMILY, "a.jpg", (sha256(b"a").digest(), 1))
    assert complete_promised_uploads(later(world, minutes=30), 10).dropped == 0
    assert complete_promised_uploads(later(world, hours=3), 10).dropped == 1
    assert number_of(world, "uploads") == 0
    for late in (complete_upload, partial(receive_upload, file=BytesIO(b"a"))):
        with pytest.raises(UnknownUploadError, match="ask for a new one"):
            late(world, FAMILY, promised.upload_id)
    again = promise_upload(world, FAMILY, "a.jpg", (sha256(b"a").digest(), 1))
    assert receive_upload(world, FAMILY, again.upload_id, BytesIO(b"a")).fate is Fate.REGISTERED


def test_a_promise_holds_for_as_long_as_its_url(world: Context) -> None:
    long = replace(world, settings=world.settings.model_copy(update={"upload_seconds": 86_400}))
    promised = promise_upload(long, FAMILY, "a.jpg", (sha256(b"a").digest(), 1))
    assert complete_promised_uploads(later(long, hours=24), 10).dropped == 0
    world.objects.put(original_key(FAMILY, sha256(b"a").digest()), b"a")
    assert complete_upload(later(long, hours=24), FAMILY, promised.upload_id).fate is Fate.REGISTERED


def test_a_deleted_original_takes_its_photo_along(world: Context) -> None:
    bring_photo(world, FAMILY, "a.jpg", BytesIO(b"a"))
    assert notice_object(world, original(b"a")) is Noticed.UNCHANGED
    world.objects.delete(original_key(FAMILY, original(b"a").sha256))
    assert notice_object(world, original(b"a")) is Noticed.DELETED
    assert notice_object(world, original(b"a")) is Noticed.UNCHANGED
    assert number_of(world, "photos") == 0


def test_an_object_that_is_not_what_its_key_says_is_refused_and_kept(world: Context) -> None:
    world.objects.put(original_key(FAMILY, original(b"a").sha256), b"b")
    with pytest.raises(WrongContentError):
        notice_object(world, original(b"a"))
    assert world.objects.exists(original_key(FAMILY, original(b"a").sha256))


def test_a_large_upload_is_refused_and_kept(world: Context) -> None:
    small = replace(world, settings=world.settings.model_copy(update={"max_photo_bytes": 10}))
    world.objects.put(upload("a.jpg").key, b"far too large")
    with pytest.raises(ImageSizeError):
        notice_object(small, upload("a.jpg"))
    assert world.objects.exists(upload("a.jpg").key)


def test_nothing_is_kept_for_a_family_that_nobody_knows(world: Context) -> None:
    forget_family(world, "Mori")
    with pytest.raises(UnknownFamilyError):
        bring_photo(world, FAMILY, "a.jpg", BytesIO(b"a"))
    with pytest.raises(UnknownFamilyError):
        photo_state(world, FAMILY, photo_id(FAMILY, "a.jpg"))
    assert notice_object(world, original(b"a")) is Noticed.UNCHANGED
    assert list(world.objects.keys("")) == []


def test_a_promised_upload_that_cannot_be_a_photo_is_parked_and_the_rest_goes_on(world: Context) -> None:
    for content in (b"a", b"b"):
        promise_upload(world, FAMILY, f"{content!r}", (sha256(content).digest(), 1))
        world.objects.put(original_key(FAMILY, sha256(content).digest()), b"b")
    assert complete_promised_uploads(later(world, minutes=2), 10).completed == 1
    assert [(one.queue, one.code) for one in list_parked(world)] == [("events", "wrong_content")]
    assert number_of(world, "uploads") == 0


contents = st.sampled_from([b"one", b"two", b"three"])
changes = st.lists(st.tuples(st.sampled_from(["original", "upload"]), contents, st.booleans()), min_size=1, max_size=8)


@given(changes=changes, hints=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_hints_leads_to_what_the_store_holds(
    world: Context, changes: list[tuple[str, bytes, bool]], hints: st.DataObject
) -> None:
    """Objects come and go; of each key at least the last hint arrives, others late, twice or never."""
    with world.database.begin() as transaction:
        delete_family(transaction, FAMILY)
        save_family(transaction, "Mori", now=world.clock())
    world.objects.delete_prefix("families/")
    late: list[OriginalKey | UploadKey] = []
    for kind, content, there in changes:
        key = original(content) if kind == "original" else upload(f"{content.decode()}.jpg")
        name = original_key(FAMILY, key.sha256) if isinstance(key, OriginalKey) else key.key
        if there:
            world.objects.put(name, content)
        else:
            world.objects.delete(name)
        if hints.draw(st.booleans()):
            notice_object(world, key)
        late.append(key)
    for key in hints.draw(st.permutations(late * 2)):
        notice_object(world, key)
    held = {key.rpartition("/")[2] for key in world.objects.keys("")}
    assert {sha256(content).hexdigest() for content in names(world).values()} == held
    assert not any("uploads" in key for key in world.objects.keys(""))
