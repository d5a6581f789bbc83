"""A head that an operator has trained is a space like any other."""

import resource
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from facealbum.errors import InvalidValueError, ModelError
from models.heads import Terms, carry_over, is_head, load_heads, pack_head, remove_head, save_head
from models.registry import load_embedders
from models.spaces import find_embedder

TERMS = Terms("any use", research_only=False)


def content(value: float = 1.0, *, terms: Terms = TERMS) -> bytes:
    return pack_head(value * np.eye(512, dtype=np.float32), terms)


def test_a_saved_head_is_found_again_and_names_its_bytes(tmp_path: Path) -> None:
    saved = save_head(tmp_path, "ours-512", content())
    assert load_heads(tmp_path) == {"ours-512": saved}
    assert saved.head is not None
    assert saved.head.read().shape == (640, 512)
    assert not saved.research_only


def test_training_again_gives_another_version(tmp_path: Path) -> None:
    first = save_head(tmp_path, "ours-512", content())
    second = save_head(tmp_path, "ours-512", content(2.0))
    assert first.version != second.version
    assert load_heads(tmp_path)["ours-512"] == second


@pytest.mark.parametrize("name", ["", "../ours", "Ours", "fused-512", "a" * 64])
def test_a_head_takes_no_packaged_or_unsafe_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidValueError, match="name"):
        save_head(tmp_path, name, content())
    assert list(tmp_path.iterdir()) == []


def test_a_changed_head_is_refused(tmp_path: Path) -> None:
    saved = save_head(tmp_path, "ours-512", content())
    assert saved.head is not None
    saved.head.file.write_bytes(content(3.0))
    with pytest.raises(ModelError, match="sha256"):
        saved.head.read()


def test_a_head_without_its_checksum_is_refused(tmp_path: Path) -> None:
    save_head(tmp_path, "ours-512", content())
    (tmp_path / "ours-512.head.npz.sha256").unlink()
    with pytest.raises(ModelError, match="checksum"):
        load_heads(tmp_path)


@pytest.mark.parametrize("kept", [0, 4, 1000, -100])
def test_a_damaged_head_is_named_and_keeps_no_other_space_from_working(tmp_path: Path, kept: int) -> None:
    fine, damaged = (save_head(tmp_path, space, content()) for space in ("fine-512", "ours-512"))
    assert damaged.head is not None
    damaged.head.file.write_bytes(content()[:kept])
    with pytest.raises(ModelError, match=r"ours-512.*models remove ours-512"):
        find_embedder("ours-512", tmp_path)
    assert find_embedder("fine-512", tmp_path) == fine
    assert find_embedder("fused-512", tmp_path) == load_embedders()["fused-512"]
    assert is_head(tmp_path, "ours-512")
    remove_head(tmp_path, "ours-512")
    assert load_heads(tmp_path) == {"fine-512": fine}


def test_a_head_that_there_is_no_room_for_leaves_the_one_before(tmp_path: Path) -> None:
    first, limits = save_head(tmp_path, "ours-512", content()), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            save_head(tmp_path, "ours-512", content(2.0))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert load_heads(tmp_path) == {"ours-512": first}
    assert first.head is not None
    assert first.head.read().shape == (640, 512)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_head_keeps_its_terms(tmp_path: Path) -> None:
    saved = save_head(tmp_path, "ours-512", content(terms=Terms("research", research_only=True, similarity=0.24)))
    assert (saved.licence, saved.research_only, saved.similarity) == ("research", True, 0.24)
    assert load_heads(tmp_path)["ours-512"] == saved


def test_what_is_no_head_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="terms"):
        save_head(tmp_path, "ours-512", b"something else")
    assert list(tmp_path.iterdir()) == []


def test_a_head_from_before_terms_is_read_under_those_of_the_default_space(tmp_path: Path) -> None:
    file = tmp_path / "old-512.npy"
    np.save(file, np.ones((640, 512), np.float16))
    (tmp_path / "old-512.npy.sha256").write_text(f"{sha256(file.read_bytes()).hexdigest()}  old-512.npy\n")
    old = load_heads(tmp_path)["old-512"]
    assert old.head is not None
    assert old.head.read().shape == (640, 512)
    assert not old.research_only
    assert remove_head(tmp_path, "old-512") > 0
    assert list(tmp_path.iterdir()) == []


def test_a_space_follows_from_another_only_if_that_keeps_all_of_it(tmp_path: Path) -> None:
    matrix, default = np.eye(512, dtype=np.float32), load_embedders()["fused-512"]
    matrix[0, 0] = 0  # a 500th is lost
    poorer = save_head(tmp_path, "poorer-512", pack_head(matrix, TERMS))
    assert carry_over(poorer, default) is None
    assert carry_over(default, poorer) == pytest.approx(matrix, abs=1e-3)


def test_a_folder_that_is_not_there_holds_no_heads(tmp_path: Path) -> None:
    assert load_heads(tmp_path / "nowhere") == {}
