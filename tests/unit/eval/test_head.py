"""A head is scored only on people that it did not learn from."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from eval.head import main, unseen_pairs, young
from eval.head_data import HeadData, gather, gather_chips
from facealbum.demo.portraits import load_pixels
from models.train.head import head_recipe
from tests.unit.models.train.album import growing_families


def test_no_head_has_seen_the_people_that_it_scores() -> None:
    faces = growing_families(families=16)
    learnt: list[set[int]] = []

    def start(some: object) -> np.ndarray:
        learnt.append(set(some.persons.tolist()))  # type: ignore[attr-defined]
        return np.eye(512, dtype=np.float32)

    pairs = unseen_pairs(faces, head_recipe(epochs=0, start=start), folds=4)
    everybody = set(faces.persons.tolist())
    assert len(learnt) == 6
    assert all(len(everybody - some) == 24 for some in learnt)
    first, second = np.triu_indices(len(faces), 1)
    plain = (faces.embeddings @ faces.embeddings.T)[first, second]
    np.testing.assert_allclose(pairs.similarities, plain, atol=1e-5)
    assert (pairs.same == (faces.persons[first] == faces.persons[second])).all()


def test_people_of_other_sources_are_only_learnt_from() -> None:
    faces = growing_families(families=16)
    sources = (faces.families >= 8).astype(np.int64)
    pairs = unseen_pairs(replace(faces, sources=sources), head_recipe(epochs=0), folds=3)
    assert len(pairs.same) == 144 * 143 // 2
    assert len(young(replace(faces, sources=sources))) == len(pairs.same)


def test_the_command_prints_both_ages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    growing_families(families=16).save(tmp_path / "faces.npz")
    assert main(["score", str(tmp_path / "faces.npz"), "--epochs", "0", "--folds", "5"]) == 0
    children, everybody = capsys.readouterr().out.splitlines()
    assert children.startswith("0 to 12 years: TAR")
    assert "720 true" in everybody


def test_faces_are_gathered_with_their_labels(tmp_path: Path) -> None:
    pixels = load_pixels("obama-2010")
    picture = cv2.imencode(".jpg", pixels[..., ::-1])[1].tobytes()
    for name, header, row in (
        ("train_faces", "file,family,member,photo", "one.jpg,F1,F1MID1,F1P1"),
        ("growth_faces", "file,subject,age,nx,ny", f"one.jpg,001,48,{pixels.shape[1] / 2},{pixels.shape[0] / 2}"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.jpg").write_bytes(picture)
        (tmp_path / name / "labels.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    data, groups = gather(tmp_path, processes=1)
    faces = data.faces
    assert groups == ["F1", "001"]
    assert faces.sources.tolist() == [0, 1]
    assert faces.ages[1] == 48
    assert faces.persons[0] != faces.persons[1]
    assert float(faces.embeddings[0] @ faces.embeddings[1]) > 0.9
    data.save(tmp_path / "faces.npz")
    assert HeadData.load(tmp_path / "faces.npz").height.tolist() == data.height.tolist()
    again, _, chips = gather_chips(tmp_path, processes=1)
    assert again.faces.embeddings.tobytes() == faces.embeddings.tobytes()
    assert chips.shape == (2, 112, 112, 3)
    assert np.abs(chips[0, 40:60, 40:60].astype(int) - chips[1, 40:60, 40:60]).mean() < 20  # one face, two ways
