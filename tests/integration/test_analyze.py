"""Analysis turns every pending photo into faces or into a reason, whatever the photo is."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from select import select as select_ready

import numpy as np
import pytest
from PIL import ExifTags, Image
from sqlalchemy import event, select

from facealbum import demo
from facealbum.domain.photos import AnalysedPhoto, PendingPhoto
from facealbum.errors import UnknownFamilyError
from facealbum.steps import analysis_pool, analyst
from facealbum.steps.analyst import Outcome, Setup, analyse_upload
from facealbum.steps.analyze import analyze_pending
from facealbum.steps.analyze_upload import AnalysedBy, save_outcome, set_up
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_models, models_folder, models_in_use, with_embedder
from facealbum.steps.imports import import_folder
from facealbum.storage.families import load_families
from facealbum.storage.photos import count_photos, load_pending, load_problems
from facealbum.storage.schema import face_embeddings, faces, photos
from models.containers import is_video
from models.heads import default_terms, pack_head, save_head

PORTRAITS = Path(demo.__file__).parent / "portraits"
PORTRAIT = min(PORTRAITS.glob("*.jpg"))


def rows(context: Context) -> list[tuple[object, ...]]:
    with context.database.begin() as transaction:
        return [tuple(map(str, row)) for row in transaction.execute(select(faces).order_by(faces.c.face_id))]


def problems(context: Context) -> dict[str, str]:
    with context.database.begin() as transaction:
        return {problem.photo: problem.code for problem in load_problems(transaction)}


def put(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)


def test_a_portrait_becomes_one_face(context: Context, tmp_path: Path) -> None:
    put(tmp_path / "in", "portrait.jpg", PORTRAIT.read_bytes())
    import_folder(context, tmp_path / "in", "Mori")
    result = analyze_pending(context, in_process=True)
    assert (result.photos, result.faces, result.problems) == (1, 1, [])
    with context.database.begin() as transaction:
        face = transaction.execute(select(faces)).one()
        photo = transaction.execute(select(photos)).one()
        assert transaction.execute(select(face_embeddings)).one().face_id == face.face_id
    with Image.open(PORTRAIT) as picture:
        width, height = picture.size
    assert (photo.width, photo.height, photo.status) == (width, height, "analysed")
    assert 0 <= face.box[0] < face.box[2] <= width
    assert 0 <= face.box[1] < face.box[3] <= height
    assert 20 < face.age < 90


def test_analysing_again_finds_nothing_to_do(context: Context, tmp_path: Path) -> None:
    put(tmp_path / "in", "portrait.jpg", PORTRAIT.read_bytes())
    import_folder(context, tmp_path / "in", "Mori")
    analyze_pending(context, in_process=True)
    before = rows(context)
    assert analyze_pending(context).photos == 0
    assert rows(context) == before


@pytest.mark.parametrize(
    ("code", "damage"),
    [
        ("unknown_format", lambda _: b"this is no picture at all"),
        ("damaged_image", lambda content: content[: len(content) // 2]),
        ("unknown_format", lambda _: b"\0" * 4096),
    ],
)
def test_a_photo_that_cannot_be_read_keeps_its_reason_and_the_rest_goes_on(
    context: Context, tmp_path: Path, code: str, damage: Callable[[bytes], bytes]
) -> None:
    put(tmp_path / "in", "bad.jpg", damage(PORTRAIT.read_bytes()))
    put(tmp_path / "in", "good.jpg", PORTRAIT.read_bytes())
    import_folder(context, tmp_path / "in", "Mori")
    result = analyze_pending(context, in_process=True)
    assert (result.photos, result.faces) == (2, 1)
    assert problems(context) == {"bad.jpg": code}
    with context.database.begin() as transaction:
        assert count_photos(transaction) == {"analysed": 1, "failed": 1}


def test_a_picture_without_a_face_is_analysed(context: Context, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(np.full((200, 300, 3), 128, np.uint8)).save(tmp_path / "in" / "grey.png")
    import_folder(context, tmp_path / "in", "Mori")
    result = analyze_pending(context, in_process=True)
    assert (result.photos, result.faces, result.problems) == (1, 0, [])


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(context: Context, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.new("1", (20_000, 10_001)).save(tmp_path / "in" / "huge.png")
    import_folder(context, tmp_path / "in", "Mori")
    analyze_pending(context, in_process=True)
    assert problems(context) == {"huge.png": "image_size"}


def test_bytes_that_vanished_from_the_store_are_a_reason_too(context: Context, tmp_path: Path) -> None:
    put(tmp_path / "in", "a.jpg", PORTRAIT.read_bytes())
    import_folder(context, tmp_path / "in", "Mori")
    context.objects.delete_prefix("families/")
    analyze_pending(context, in_process=True)
    assert problems(context) == {"a.jpg": "object_not_found"}


def test_the_number_of_processes_changes_nothing(context: Context, tmp_path: Path) -> None:
    for number, portrait in enumerate(sorted(PORTRAITS.glob("*.jpg"))[:3]):
        put(tmp_path / "in", f"{number}.jpg", portrait.read_bytes())
    import_folder(context, tmp_path / "in", "Mori")
    setup = set_up(context.settings, default_models())
    one = [analysis_pool._alone(photo, setup).result for photo in _pending(context)]
    three = [outcome.result for outcome in analysis_pool.pooled_outcomes(_pending(context), 3, setup)]
    assert sorted(map(_essence, one)) == sorted(map(_essence, three))


def test_a_process_goes_on_with_the_head_that_took_the_place_of_another_under_its_name(
    context: Context, tmp_path: Path
) -> None:
    put(tmp_path / "in", "a.jpg", PORTRAIT.read_bytes())
    import_folder(context, tmp_path / "in", "Mori")
    (photo,) = _pending(context)
    vectors = []
    for order in (slice(None), slice(None, None, -1)):
        content = pack_head(np.eye(512, dtype=np.float32)[:, order], default_terms())
        models = with_embedder(save_head(models_folder(context.settings), "ours-512", content))
        result = analyse_upload(photo, set_up(context.settings, models)).result
        assert isinstance(result, AnalysedPhoto)
        vectors.append(result.faces[0].embedding)
    np.testing.assert_allclose(vectors[1], vectors[0][::-1], atol=1e-6)


def test_a_photo_that_is_new_is_saved_in_five_statements(context: Context, tmp_path: Path) -> None:
    put(tmp_path / "in", "a.jpg", PORTRAIT.read_bytes())
    import_folder(context, tmp_path / "in", "Mori")
    with context.database.begin() as transaction:
        models = models_in_use(transaction, context.settings)
        by = AnalysedBy.load(context, transaction, models)
    (photo,) = _pending(context)
    outcome = analyse_upload(photo, set_up(context.settings, models))
    said: list[str] = []
    with context.database.begin() as transaction:
        event.listen(transaction, "before_cursor_execute", lambda *call: said.append(call[2]))
        save_outcome(transaction, outcome, by, now=context.clock())
    assert [re.sub("WITH .*UPDATE", "UPDATE", one, flags=re.DOTALL).split()[0] for one in said] == [
        *("SELECT", "UPDATE", "INSERT", "INSERT", "UPDATE")
    ]


def test_a_photo_that_kills_its_process_is_named_and_the_rest_goes_on(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "in", "deadly.jpg", PORTRAIT.read_bytes() + b"deadly")
    put(tmp_path / "in", "good.jpg", PORTRAIT.read_bytes())
    import_folder(context, tmp_path / "in", "Mori")
    monkeypatch.setattr(analysis_pool, "analyse_upload", die_on_deadly)
    result = analyze_pending(context)
    assert (result.photos, result.faces) == (2, 1)
    assert problems(context) == {"deadly.jpg": "analysis_crashed"}


def die_on_deadly(photo: PendingPhoto, setup: Setup) -> Outcome:
    if photo.key == "deadly.jpg":
        os.kill(os.getpid(), signal.SIGKILL)
    return analyse_upload(photo, setup)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_an_analysis_that_is_ended_or_complains_of_it(end: signal.Signals) -> None:
    work = "print(pool.submit(os.getpid).result(), flush=True); pool.submit(time.sleep, 60).result()"
    command = f"import os, time; from facealbum.steps.analysis_pool import _pool\nwith _pool(1) as pool: {work}"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True, "text": True}
    with subprocess.Popen([sys.executable, "-c", command], **pipes) as parent:
        worker = os.pidfd_open(int(parent.stdout.readline()))
        os.kill(parent.pid, end) if end == signal.SIGKILL else os.killpg(parent.pid, end)
        ended, _, _ = select_ready([worker], [], [], 20)
        os.close(worker)
        assert ended
        assert "SpawnProcess" not in parent.communicate()[1]


def test_a_failure_that_nobody_foresaw_stops_no_other_photo_and_is_tried_again_when_asked(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "in", "odd.jpg", PORTRAIT.read_bytes() + b"odd")
    put(tmp_path / "in", "good.jpg", PORTRAIT.read_bytes())
    import_folder(context, tmp_path / "in", "Mori")
    with monkeypatch.context() as patch:
        patch.setattr(analyst, "is_video", fail_on_odd)
        result = analyze_pending(context, in_process=True)
    assert (result.photos, result.faces) == (2, 1)
    assert [problem.code for problem in result.problems] == ["analysis_crashed"]
    assert "ValueError at test_analyze.py" in result.problems[0].detail
    assert "secret" not in result.problems[0].detail
    assert analyze_pending(context, in_process=True).photos == 0
    assert analyze_pending(context, again=True, in_process=True).faces == 1
    assert problems(context) == {}


def fail_on_odd(data: bytes) -> bool:
    if data.endswith(b"odd"):
        raise ValueError("secret")
    return is_video(data)


@pytest.mark.parametrize(("ahead", "believed"), [(timedelta(hours=14), True), (timedelta(days=2), False)])
def test_a_camera_that_claims_the_future_is_not_believed(
    context: Context, tmp_path: Path, ahead: timedelta, *, believed: bool
) -> None:
    claimed = context.clock() + ahead
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{claimed:%Y:%m:%d %H:%M:%S}"
    (tmp_path / "in").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "in" / "a.jpg", exif=exif)
    import_folder(context, tmp_path / "in", "Mori")
    analyze_pending(context, in_process=True)
    with context.database.begin() as transaction:
        photo = transaction.execute(select(photos)).one()
    expected = (claimed, "exif") if believed else (context.clock(), "file")  # the file is younger than the fixed clock
    assert (photo.taken_at, photo.taken_at_source) == expected


def test_a_second_analysis_waits_for_the_first_however_that_ends(
    context: Context, database_url: str, tmp_path: Path
) -> None:
    put(tmp_path / "in", "a.jpg", PORTRAIT.read_bytes())
    import_folder(context, tmp_path / "in", "Mori")
    with subprocess.Popen([sys.executable, "-c", HOLDER, database_url], stdout=subprocess.PIPE) as first:
        assert first.stdout
        assert first.stdout.readline() == b"True\n"
        result = analyze_pending(context, in_process=True, waiting=first.kill)
        assert first.wait() == -signal.SIGKILL
    assert result.photos == 1


HOLDER = """
import sys, threading
from pathlib import Path
from facealbum.storage.analysis_lock import lock_analysis
from facealbum.storage.database import open_database
with open_database(sys.argv[1], Path()) as database, database.begin() as transaction:
    print(lock_analysis(transaction), flush=True)
    threading.Event().wait()
"""
"""An analysis that never ends."""


def test_an_unknown_family_is_refused(context: Context) -> None:
    with pytest.raises(UnknownFamilyError, match="nobody"):
        analyze_pending(context, family="nobody")


def _pending(context: Context) -> list[PendingPhoto]:
    with context.database.begin() as transaction:
        (family,) = load_families(transaction)
        return load_pending(transaction, family.family_id)


def _essence(result: object) -> str:
    assert isinstance(result, AnalysedPhoto)
    return f"{result.photo_id} {[(face.box, face.age, face.embedding.tobytes()) for face in result.faces]}"
