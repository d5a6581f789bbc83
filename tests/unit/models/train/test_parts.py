"""Each part of training does its own job."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facealbum.errors import InvalidValueError
from models.quiet import load_keras
from models.train.augment import between_ages, unchanged
from models.train.batches import Shuffled, WholeFamilies
from models.train.faces import LabelledFaces
from models.train.head import Projected
from models.train.loss import contrastive
from models.train.parts import Columns
from models.train.start import ageless
from tests.unit.models.train.album import AGE, growing_families, separation


def test_faces_survive_a_file(tmp_path: Path) -> None:
    faces = growing_families(families=2)
    faces.save(tmp_path / "faces.npz")
    again = LabelledFaces.load(tmp_path / "faces.npz")
    assert again.embeddings.tobytes() == faces.embeddings.tobytes()
    assert again.ages.tolist() == faces.ages.tolist()


@pytest.mark.parametrize("content", [b"", b"something else", b"PK\3\4cut short", b"\x93NUMPY\1\0"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "faces.npz").write_bytes(content)
    with pytest.raises(InvalidValueError, match="LabelledFaces"):
        LabelledFaces.load(tmp_path / "faces.npz")


def test_the_contrast_is_between_a_person_and_all_others_and_a_mirror_is_neither() -> None:
    pytest.importorskip("keras")
    load_keras()
    vectors = np.random.default_rng(5).normal(size=(7, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    persons, photos = [0, 0, 0, 1, 1, 2, 2], [0, 0, 1, 2, 3, 4, 4]  # two pictures of 0 are of one photo, and those of 2
    alike, each = vectors @ vectors.T / 0.1, []
    for one, (who, where) in enumerate(zip(persons, photos, strict=True)):
        others = [n for n in range(7) if (persons[n], photos[n]) != (who, where)]
        total = np.log(sum(np.exp(alike[one, n]) for n in others))
        own = [total - alike[one, n] for n in others if persons[n] == who]
        each += [np.mean(own)] if own else []
    batch = {"persons": np.array(persons), "photos": np.array(photos)}
    found = contrastive(0.1)(vectors.astype(np.float32), batch)
    assert float(found) == pytest.approx(np.mean(each), rel=1e-4)


def test_labels_that_do_not_fit_are_refused() -> None:
    faces = growing_families(families=2)
    with pytest.raises(InvalidValueError, match="persons"):
        replace(faces, persons=faces.persons[1:])
    with pytest.raises(InvalidValueError, match="finite"):
        replace(faces, ages=np.full(len(faces), np.nan, np.float32))


def test_the_start_takes_out_what_follows_age_and_keeps_what_does_not() -> None:
    faces = growing_families()
    start = ageless(faces)
    assert np.abs(start @ start - start).max() < 1e-5
    assert np.abs(start - start.T).max() < 1e-6
    assert np.linalg.norm(start[AGE]) < 0.2
    assert np.trace(start) == pytest.approx(512 - 8, abs=1e-3)  # seven bends and the mean
    assert separation(faces.embeddings @ start, faces.persons) > 2 * separation(faces.embeddings, faces.persons)


def test_how_age_shows_is_learnt_for_each_source() -> None:
    faces = growing_families()
    half = replace(faces, sources=(faces.families % 2).astype(np.int64))
    assert np.trace(ageless(half)) == pytest.approx(512 - 16, abs=1e-3)


def test_an_epoch_shows_every_family_whole() -> None:
    faces = growing_families()
    rows = list(WholeFamilies(families=4, growing=0)(columns(faces), np.random.default_rng(1)))
    assert sorted(np.concatenate(rows).tolist()) == list(range(len(faces)))
    for batch in rows:
        assert np.isin(faces.families, faces.families[batch]).sum() == len(batch)


def test_a_large_family_does_not_fill_a_batch() -> None:
    faces = growing_families(families=3)
    (batch,) = WholeFamilies(families=3, growing=0, most=5)(columns(faces), np.random.default_rng(1))
    assert len(batch) == 15


def test_families_in_which_somebody_grows_come_more_often() -> None:
    faces = growing_families()
    still = np.where(faces.families < 6, 30, faces.ages).astype(np.float32)
    rows = np.concatenate(
        list(WholeFamilies(families=4, growing=2)(columns(replace(faces, ages=still)), np.random.default_rng(1)))
    )
    counts = np.bincount(faces.families[rows], minlength=12)
    assert counts[:6].max() == 18
    assert counts[6:].sum() > 6 * 18


def test_shuffled_batches_show_every_row_once() -> None:
    rows = list(Shuffled(50)(columns(growing_families()), np.random.default_rng(1)))
    assert sorted(np.concatenate(rows).tolist()) == list(range(216))
    assert max(len(batch) for batch in rows) <= 50


def test_faces_between_ages_stay_with_their_person() -> None:
    given = columns(growing_families(families=2))
    moved = between_ages(given, np.random.default_rng(5))
    for person in np.unique(given["persons"]):
        own = given["persons"] == person
        assert moved["inputs"][own].min() >= given["inputs"][own].min()
        assert not np.array_equal(moved["inputs"][own], given["inputs"][own])
    strangers = {**given, "persons": np.arange(len(given["persons"]))}
    alone = between_ages(strangers, np.random.default_rng(5))
    np.testing.assert_allclose(alone["inputs"], given["inputs"], atol=1e-6)
    assert unchanged(moved, np.random.default_rng(5)) is moved


def columns(faces: LabelledFaces) -> Columns:
    """The faces as a recipe's parts see them, nothing taken out."""
    return Projected(np.eye(512, dtype=np.float32))(faces)
