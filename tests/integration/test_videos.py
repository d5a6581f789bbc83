"""A video goes all the way: frames, tracks and faces in, people and albums out, and nothing left when it goes."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import func, select

from facealbum.domain.faces import EMBEDDING_SIZE, Box, Face
from facealbum.domain.ids import family_id, photo_id
from facealbum.domain.months import Month
from facealbum.domain.photos import AnalysedVideo
from facealbum.domain.videos import Sighting, Track
from facealbum.steps.analyze import AnalyzeResult, analyze_pending
from facealbum.steps.arm_plans import load_side
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.embedders import DEFAULT_ARM, default_models
from facealbum.steps.export import export_albums, export_faces
from facealbum.steps.families import forget_family
from facealbum.steps.imports import import_folder
from facealbum.steps.report import write_report
from facealbum.storage.analyses import ensure_analyzer, save_video
from facealbum.storage.families import save_family
from facealbum.storage.observations import load_evidence
from facealbum.storage.photos import NewPhoto, count_photos, load_problems, save_photos
from facealbum.storage.schema import assignments, faces, photos, tracks
from facealbum.storage.tables import metadata
from tests.clips import Actor, Clip, film, frames, still

FAMILY = family_id("Mori")
START = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
TAKEN = (("creation_time", START.isoformat()),)
TOGETHER = Clip(
    [Actor("collins-1998", still(0.25)), Actor("obama-2009", still(0.75))], frames(6), metadata=TAKEN, size=(480, 270)
)


def put(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder


def analysed(context: Context, folder: Path) -> AnalyzeResult:
    import_folder(context, folder, "Mori")
    return analyze_pending(context, in_process=True)


def everything(context: Context) -> dict[str, list[str]]:
    with context.database.begin() as transaction:
        return {
            table.name: sorted(str(row) for row in transaction.execute(select(table)))
            for table in (photos, tracks, faces)
        }


def problems(context: Context) -> dict[str, str]:
    with context.database.begin() as transaction:
        return {problem.photo: problem.code for problem in load_problems(transaction)}


def test_a_video_of_two_becomes_two_people_in_albums_and_report(context: Context, tmp_path: Path) -> None:
    result = analysed(context, put(tmp_path / "in", "clip.mp4", film(TOGETHER)))
    assert (result.photos, result.problems) == (1, [])
    clustered = cluster_families(context, Month(2026, 3))
    assert [(run.founded, run.persons) for run in clustered.runs] == [(result.faces, 2)]
    export_faces(context, tmp_path / "faces.csv")
    rows = list(csv.DictReader((tmp_path / "faces.csv").read_text(encoding="utf-8").splitlines()))
    sides = {(row["person"], float(row["x1"]) < 240) for row in rows}
    assert len(sides) == len({person for person, _ in sides}) == 2
    assert {row["photo"].partition("#t=")[0] for row in rows} == {"clip.mp4"}
    export_albums(context, tmp_path / "albums")
    copies = list((tmp_path / "albums").rglob("*.mp4"))
    assert [path.name.startswith("2026-03-01 clip ") for path in copies] == [True, True]
    assert {path.read_bytes() for path in copies} == {film(TOGETHER)}
    assert write_report(context, tmp_path / "page.html").faces == result.faces
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert all(row["photo"] in page for row in rows)
    assert page.count("data:image/jpeg;base64,") >= len(rows)


def test_frames_are_photos_of_their_moment_and_only_uploads_are_counted(context: Context, tmp_path: Path) -> None:
    analysed(context, put(tmp_path / "in", "clip.mp4", film(TOGETHER)))
    with context.database.begin() as transaction:
        assert count_photos(transaction) == {"analysed": 1}
        rows = transaction.execute(select(photos).order_by(photos.c.frame_ms.nulls_first())).all()
        face_times = set(map(tuple, transaction.execute(select(faces.c.photo_id, faces.c.taken_at))))
    upload, *shown = rows
    assert (upload.format, upload.width, upload.height, upload.taken_at_source) == ("mp4", 480, 270, "video")
    assert {row.video_id for row in shown} == {upload.photo_id}
    assert {row.sha256 for row in shown} == {upload.sha256}
    assert all(row.taken_at == START + timedelta(milliseconds=row.frame_ms) for row in shown)
    assert face_times == {(row.photo_id, row.taken_at) for row in shown}


def test_analysing_a_video_again_changes_nothing_but_the_frames_that_are_asked_for(
    context: Context, tmp_path: Path
) -> None:
    folder = put(tmp_path / "in", "clip.mp4", film(TOGETHER))
    analysed(context, folder)
    before = everything(context)
    wait_again(context)
    analyze_pending(context, in_process=True)
    assert everything(context) == before
    wait_again(context)
    rarely = context.settings.model_copy(update={"video_interval_seconds": 60.0})
    analyze_pending(replace(context, settings=rarely), in_process=True)
    with context.database.begin() as transaction:
        assert transaction.execute(select(photos.c.key).where(photos.c.frame_ms.is_not(None))).scalars().all() == [
            "clip.mp4#t=0"
        ]
        assert transaction.execute(select(tracks.c.seen)).scalars().all() == [[0], [0]]


def wait_again(context: Context) -> None:
    with context.database.begin() as transaction:
        transaction.execute(photos.update().where(photos.c.frame_ms.is_(None)).values(status="pending"))


def test_what_a_file_is_called_does_not_matter(context: Context, tmp_path: Path) -> None:
    one = replace(TOGETHER, times=frames(1))
    put(tmp_path / "in", "video.jpg", film(one))
    put(tmp_path / "in", "text.mp4", b"no video")
    put(tmp_path / "in", "cut.mov", film(replace(one, container="mov"))[:-500])
    result = analysed(context, tmp_path / "in")
    assert (result.photos, result.faces) == (3, 2)
    assert problems(context) == {"text.mp4": "unknown_format", "cut.mov": "damaged_video"}


def test_a_video_without_people_is_done_and_shows_nobody(context: Context, tmp_path: Path) -> None:
    result = analysed(context, put(tmp_path / "in", "room.mp4", film(Clip(times=frames(2), size=(320, 180)))))
    assert (result.photos, result.faces, result.problems) == (1, 0, [])
    assert len(everything(context)["photos"]) == 1


def test_a_deleted_family_leaves_nothing_of_its_videos(context: Context, tmp_path: Path) -> None:
    analysed(context, put(tmp_path / "in", "clip.mp4", film(TOGETHER)))
    cluster_families(context, Month(2026, 3))
    forget_family(context, "Mori")
    with context.database.begin() as transaction:
        left = {
            table.name: transaction.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
            if "family_id" in table.c
        }
    assert set(left.values()) == {0}
    assert list(context.objects.keys("")) == []


def test_lookalikes_whose_kept_faces_never_share_a_frame_stay_two_people(context: Context) -> None:
    together = [track((0, 1000, 6000), keep=(0, 6000)), track((1000, 4000), keep=(4000,), number=1)]
    save(context, "twins.mp4", START, together)
    save(context, "later.mp4", START + timedelta(days=31), [track((0, 9000), keep=(0, 9000))])
    cluster_families(context, Month(2026, 4))
    assert companions(context) == {"twins.mp4#t=0", "twins.mp4#t=6", "later.mp4#t=0", "later.mp4#t=9"}


def test_people_who_meet_only_in_frames_without_a_kept_face_are_known_to_meet(context: Context) -> None:
    one = track((0, 1000, 6000), keep=(0, 6000))
    save(context, "twins.mp4", START, [one, track((1000, 4000, 9000), keep=(4000, 9000), number=1)])
    cluster_families(context, Month(2026, 3))
    with context.database.begin() as transaction:
        arm = load_side(transaction, DEFAULT_ARM, context.settings).arm
        first, second = load_evidence(transaction, FAMILY, arm)
    assert (first.meets, second.meets) == ({second.person_id}, {first.person_id})


def test_a_track_over_the_turn_of_a_month_is_one_person(context: Context) -> None:
    midnight = datetime(2026, 4, 1, tzinfo=UTC)
    crossing = track((0, 5000, 20_000), keep=(0, 5000, 20_000), likeness=(1.0, 1.0, 0.0))
    save(context, "night.mp4", midnight - timedelta(seconds=10), [crossing])
    cluster_families(context, Month(2026, 4))
    assert companions(context) == {"night.mp4#t=0", "night.mp4#t=5", "night.mp4#t=20"}


def companions(context: Context) -> set[str]:
    """The photos of the only person there is."""
    with context.database.begin() as transaction:
        rows = transaction.execute(
            select(photos.c.key, assignments.c.person_id)
            .join(faces, (faces.c.family_id == photos.c.family_id) & (faces.c.photo_id == photos.c.photo_id))
            .join(assignments, assignments.c.face_id == faces.c.face_id)
        ).all()
    assert len({row.person_id for row in rows}) == 1
    return {row.key for row in rows}


def track(
    seen: tuple[int, ...], *, keep: tuple[int, ...], number: int = 0, likeness: tuple[float, ...] = (1.0, 1.0)
) -> Track:
    best = (Sighting(ms, number, face(like, ms + number)) for ms, like in zip(keep, likeness, strict=False))
    return Track(seen, tuple(best))


def face(like: float, seed: int) -> Face:
    """A face that looks so much like everybody else."""
    noise = np.random.default_rng(seed).normal(size=EMBEDDING_SIZE)
    vector = like * np.ones(EMBEDDING_SIZE) + 0.3 * noise
    points = np.zeros((5, 2), np.float32)
    return Face(
        Box(10, 10, 90, 90), points, 0, 0, 0, 8, 0.5, 0.9, 0.9, (vector / np.linalg.norm(vector)).astype(np.float32)
    )


def save(context: Context, key: str, taken_at: datetime, found: list[Track]) -> None:
    identity = photo_id(FAMILY, key)
    models = default_models()
    with context.database.begin() as transaction:
        analyzer = ensure_analyzer(transaction, models.versions, models.space)
        save_family(transaction, "Mori", now=context.clock())
        new = NewPhoto(identity, key, identity.bytes * 2, 1, taken_at, "manifest")
        save_photos(transaction, FAMILY, [new], now=context.clock())
        video = AnalysedVideo(FAMILY, identity, "mp4", 640, 360, None, found)
        save_video(transaction, video, analyzer, now=context.clock())
