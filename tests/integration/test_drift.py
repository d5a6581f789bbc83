"""A month is counted as it is, in the database and without ids; what moved is found, and whose photos moved it."""

import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from eval.drift.counts import MonthCounts
from eval.drift.distributions import DISTRIBUTIONS, direction
from facealbum.cli.commands import app
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError, ManifestError
from facealbum.steps.batch_progress import show_batch
from facealbum.steps.context import Context
from facealbum.steps.drift import choose_baseline, count_month, list_baselines, load_drift, watch_month
from facealbum.steps.drift_training import choose_training, count_training
from facealbum.steps.evaluate import evaluate_batch
from facealbum.steps.families import forget_family
from facealbum.storage.batches import save_batch, update_batch
from facealbum.storage.drift import load_counted_analyzers, load_counts
from facealbum.storage.drift_schema import drift_histograms
from tests.integration.drifting import CAMERAS, Found, add_month, older

MAY, JUNE, JULY, AUGUST, SEPTEMBER = (Month(2026, number) for number in range(5, 10))


def counted(context: Context, month: Month) -> MonthCounts:
    with context.database.begin() as transaction:
        (analyzer,) = load_counted_analyzers(transaction, month)
        (found,) = load_counts(transaction, analyzer, [month])
    return found


def values(found: list[Found], key: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """What the slow oracle counts."""
    if key.startswith("direction"):
        halves = np.array([one.face.embedding for one in found]).astype(np.float16).astype(np.float64)
        return halves @ direction(int(key.split()[1]))
    if key == "size":
        boxes = [one.face.box for one in found]
        return np.array(
            [min(np.float32(box.x2) - np.float32(box.x1), np.float32(box.y2) - np.float32(box.y1)) for box in boxes]
        )
    if key == "similarity":
        return np.full(len(found), -2.0)
    if key == "faces":
        return np.array([0, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1] * 48, np.float64)
    name = {"norm": "embedding_norm"}.get(key, key)
    return np.array([getattr(one.face, name) for one in found], np.float32).astype(np.float64)


def test_every_face_and_photo_is_counted_once_in_its_bin(context: Context) -> None:
    add_month(context, JUNE)
    found = add_month(context, MAY)
    count_month(context, MAY)
    counts = counted(context, MAY)
    assert set(counts.by_bucket) == set(DISTRIBUTIONS)
    for key, one in DISTRIBUTIONS.items():
        assert counts.by_bucket[key].sum(axis=0).tolist() == one.count(values(found, key)).tolist(), key
        for kind in ("camera:", "format:", "dated:", "kind:", "megapixels:", *(() if one.per_photo else ("age:",))):
            groups = [of for name, of in counts.by_group[key].items() if name.startswith(kind)]
            assert sum(groups).tolist() == counts.by_bucket[key].sum(axis=0).tolist(), (key, kind)
    for camera in CAMERAS:
        ages = values([one for one in found if one.camera == camera], "age")
        assert counts.by_group["age"][f"camera:{camera}"].tolist() == DISTRIBUTIONS["age"].count(ages).tolist()


def test_buckets_are_families_and_no_family_is_in_two(context: Context) -> None:
    found = add_month(context, MAY)
    count_month(context, MAY)
    by_bucket = counted(context, MAY).by_bucket["age"].sum(axis=1)
    expected = np.bincount([one.family.int >> 122 for one in found], minlength=64)
    assert by_bucket.tolist() == expected.tolist()


def test_a_camera_of_few_families_is_counted_among_the_others(context: Context) -> None:
    add_month(context, MAY, families=19)
    count_month(context, MAY)
    cameras = {name for name in counted(context, MAY).by_group["age"] if name.startswith("camera:")}
    assert cameras == {"camera:other"}


def test_counts_stay_when_a_family_is_deleted_and_name_nobody(context: Context) -> None:
    add_month(context, MAY)
    count_month(context, MAY)
    before = counted(context, MAY).by_bucket["age"]
    forget_family(context, "Family 0")
    assert np.array_equal(counted(context, MAY).by_bucket["age"], before)
    with context.database.begin() as transaction:
        columns = set(transaction.execute(select(drift_histograms)).keys())
    assert columns == {"month", "analyzer_id", "distribution", "group_name", "binning", "counts", "counted_at"}


def test_counting_again_changes_nothing(context: Context) -> None:
    add_month(context, MAY)
    count_month(context, MAY)
    before = counted(context, MAY)
    count_month(context, MAY)
    again = counted(context, MAY)
    assert all(np.array_equal(again.by_bucket[key], before.by_bucket[key]) for key in DISTRIBUTIONS)


@pytest.fixture
def quiet(context: Context) -> Context:
    """Three quiet months that were watched."""
    for month in (MAY, JUNE, JULY):
        add_month(context, month)
        watch_month(context, month)
    return context


def test_the_first_quiet_months_become_the_baseline_and_a_quiet_month_raises_no_alarm(quiet: Context) -> None:
    assert list_baselines(quiet) == []
    add_month(quiet, AUGUST)
    reports = watch_month(quiet, AUGUST)
    (baseline,) = list_baselines(quiet)
    assert (baseline.kind, baseline.months) == ("automatic", (MAY, JUNE, JULY))
    assert [(one.against, one.months) for one in reports] == [("baseline", baseline.months), ("before", (JULY,))]
    assert [one.alarms for one in reports] == [[], []]
    assert all(change.threshold for one in reports for change in one.changes)


def test_faces_of_one_camera_that_look_older_are_an_alarm_of_the_monthly_job_that_names_the_camera(
    quiet: Context, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_month(quiet, AUGUST, look=older("Google Pixel 9", 12))
    with quiet.database.begin() as transaction:
        batch = save_batch(transaction, AUGUST, "default", now=quiet.clock()).batch_id
        update_batch(transaction, batch, status="evaluating")
    evaluate_batch(quiet, batch)
    reports = load_drift(quiet, AUGUST)
    summary = show_batch(quiet).batch.summary
    assert summary
    assert summary["alarms"] == [alarm for report in reports for alarm in report.alarms]
    for report in reports:
        (change,) = [one for one in report.changes if one.alarm]
        assert change.distribution == "age"
        assert [(one.group, one.how) for one in change.groups] == [("camera:Google Pixel 9", "within")]
        assert change.groups[0].part > 0.8
    monkeypatch.setenv("FACEALBUM_DATABASE_URL", database_url.replace("+psycopg2", ""))
    shown = CliRunner().invoke(app, ["drift", "show", "--json"])
    assert (shown.exit_code, json.loads(shown.stdout)) == (0, [one.to_dict() for one in reports])
    told = CliRunner().invoke(app, ["drift", "show"]).stdout.splitlines()
    reasons = [{one.unjudged for one in report.changes if one.unjudged} for report in reports]
    assert sum(line.startswith("not judged: ") for line in told) == sum(map(len, reasons))
    checked = CliRunner().invoke(app, ["drift", "check", "--month", "2026-08"])
    assert checked.exit_code == 3
    assert "camera:Google Pixel 9" in " ".join(checked.stderr.split())


def test_a_loud_month_joins_no_baseline(quiet: Context) -> None:
    add_month(quiet, AUGUST, look=older("Google Pixel 9", 12))
    watch_month(quiet, AUGUST)
    add_month(quiet, SEPTEMBER)
    baseline, before = watch_month(quiet, SEPTEMBER)
    assert (baseline.months, baseline.alarms) == ((MAY, JUNE, JULY), [])
    assert before.alarms


def test_few_faces_are_never_judged(context: Context) -> None:
    for month in (MAY, JUNE, JULY, AUGUST):
        add_month(context, month, families=30, a_family=4, look=older(CAMERAS[0], 40 if month == AUGUST else 0))
        reports = watch_month(context, month)
    assert [one.alarms for one in reports] == [[]]
    assert all("fewer than 500 cases" in one.unjudged for one in reports[0].changes)


def test_a_chosen_baseline_comes_before_an_automatic_one(quiet: Context) -> None:
    add_month(quiet, AUGUST)
    watch_month(quiet, AUGUST)
    choose_baseline(quiet, JUNE, AUGUST)
    assert [(one.kind, one.months[0]) for one in list_baselines(quiet)] == [("chosen", JUNE), ("automatic", MAY)]
    add_month(quiet, SEPTEMBER)
    assert watch_month(quiet, SEPTEMBER)[0].months == (JUNE, JULY, AUGUST)


def test_months_are_compared_with_the_faces_of_a_training_set(context: Context, tmp_path: Path) -> None:
    found = add_month(context, MAY)
    file = tmp_path / "faces.csv"
    rows = ["age,p_female,yaw,pitch,quality,x1,y1,x2,y2"]
    for face in (one.face for one in found):
        box = (face.box.x1, face.box.y1, face.box.x2, face.box.y2)
        rows.append(",".join(map(str, (face.age + 30, face.p_female, face.yaw, face.pitch, face.quality, *box))))
    file.write_text("\n".join(rows), encoding="utf-8")
    choose_training(context, file)
    (report,) = watch_month(context, MAY)
    assert (report.against, report.false_alarms) == ("training", None)
    assert [one.distribution for one in report.changes] == ["age", "p_female", "yaw", "pitch", "quality", "size"]
    assert [one.distribution for one in report.changes if one.alarm] == ["age"]


@pytest.mark.parametrize(
    ("text", "wrong"), [("age,x1\n1,2", "p_female.*it has age, x1"), ("", "it has none"), (None, "numbers")]
)
def test_a_training_set_must_have_numbers_in_its_columns(tmp_path: Path, text: str | None, wrong: str) -> None:
    file = tmp_path / "faces.csv"
    file.write_text(text if text is not None else "age,p_female,yaw,pitch,quality,x1,y1,x2,y2\nold" + ",1" * 8)
    with pytest.raises(ManifestError, match=wrong):
        count_training(file)


def test_a_baseline_of_too_few_months_is_refused(context: Context) -> None:
    add_month(context, MAY, families=1)
    with pytest.raises(InvalidValueError, match="3 months with faces"):
        choose_baseline(context, MAY, JUNE)
