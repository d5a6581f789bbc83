"""Short chaos runs, with kills while photos come in and in the monthly job; the long ones are `make chaos`."""

from pathlib import Path

import pytest

from eval.chaos.__main__ import judge_month, judge_uploads
from eval.chaos.faults import Dose
from eval.chaos.storm import Storm
from eval.chaos.verdict import Verdict

STORM = Storm(Dose(kills=3, restarts=1, outage=False, full_disk=False), seed=5, patience=240)


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    return judge_uploads(tmp_path_factory.mktemp("uploads"), STORM, photos=60, families=3)


def test_kills_and_restarts_lose_double_and_hold_up_nothing(uploads: Verdict) -> None:
    assert len(uploads.faults) == 5
    assert (uploads.lost, uploads.doubled_faces, uploads.stuck, uploads.parked) == (0, 0, 0, [])


def test_the_result_is_that_of_a_quiet_run_bit_for_bit(uploads: Verdict) -> None:
    assert uploads.differing == {}
    assert min(uploads.rows[table] for table in ("faces", "face_embeddings", "persons", "assignments")) > 0


def test_a_photo_that_kills_its_process_is_set_aside_alone(uploads: Verdict) -> None:
    assert uploads.killed_by_photo >= 3
    assert uploads.crashed == 1


def test_a_monthly_job_ends_for_every_family_as_a_quiet_one_does(tmp_path: Path) -> None:
    month = judge_month(tmp_path, STORM, families=40)
    assert month.fine, month
    assert len(month.faults) == 5
    assert min(month.rows[table] for table in ("runs", "persons", "assignments", "links")) >= 40
