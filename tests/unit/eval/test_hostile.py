"""Damaged and hostile files never crash or hang the decoder; what crashes or hangs is noticed."""

import os
from collections import Counter

import pytest

from eval.hostile.__main__ import as_table
from eval.hostile.files import HostileFile, damage, make_files, make_seeds
from eval.hostile.trial import CRASH, HANG, PICTURE, Trial, try_files
from facealbum.errors import DamagedImageError
from models.decode import decode
from models.limits import Limits

LIMITS = Limits(pixels=4_000_000)
SEEDS = make_seeds()
CODES = {"empty_file", "unknown_format", "damaged_image", "image_size"}


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    return list(try_files(make_files(280, seed=7, pixels=LIMITS.pixels), limits=LIMITS))


def test_every_file_ends_as_a_picture_or_with_a_known_reason(trials: list[Trial]) -> None:
    assert len(trials) == 280
    assert {(trial.ended, trial.file.name) for trial in trials if trial.ended not in CODES | {PICTURE}} == set()


def test_every_kind_and_every_reason_is_among_them(trials: list[Trial]) -> None:
    assert {trial.ended for trial in trials} == CODES | {PICTURE}
    assert len({trial.file.kind for trial in trials}) == 9


def test_no_file_takes_more_memory_than_its_pixels_need(trials: list[Trial]) -> None:
    assert max(trial.megabytes for trial in trials) < 400


def test_files_are_the_same_each_time_and_others_for_another_seed() -> None:
    first, again, other = ([file.data for file in damage(SEEDS, 150, seed=seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", [name for name in SEEDS if "animated" not in name])
def test_a_whole_picture_is_read_and_one_cut_short_is_not(name: str) -> None:
    data = SEEDS[name]
    assert decode(data).width == 160
    for length in range(len(data) // 16, len(data) - 16, len(data) // 16):
        with pytest.raises(DamagedImageError):
            decode(data[:length])


def read(data: bytes, *, limits: Limits) -> None:
    """A decoder with faults."""
    assert limits == LIMITS
    if data == b"die":
        os._exit(11)
    if data == b"fail":
        raise ZeroDivisionError
    while data == b"hang":
        pass


def test_a_file_that_kills_or_holds_its_process_is_named_and_the_rest_goes_on() -> None:
    files = [HostileFile("test", name, name.encode()) for name in ("good", "die", "hang", "good")]
    ended = [trial.ended for trial in try_files(files, limits=LIMITS, max_seconds=0.1, read=read)]
    assert ended == [PICTURE, CRASH, HANG, PICTURE]


def test_the_table_counts_kinds_by_endings() -> None:
    kinds = Counter({("bomb", PICTURE): 2, ("bomb", "image_size"): 1, ("cut short", PICTURE): 1})
    trials = [Trial(HostileFile(kind, "", b""), ended, 0, 0) for kind, ended in kinds.elements()]
    assert as_table(trials)[2:] == ["| bomb | 3 | 1 | 2 |", "| cut short | 1 | 0 | 1 |"]
