"""A head that an operator has trained is a space like any other."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from facealbum.errors import InvalidValueError, ModelError
from models.heads import load_heads, save_head


def content(value: float = 1.0) -> bytes:
    file = BytesIO()
    np.save(file, np.full((640, 512), value, np.float16))
    return file.getvalue()


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
    (tmp_path / "ours-512.npy.sha256").unlink()
    with pytest.raises(ModelError, match="checksum"):
        load_heads(tmp_path)


def test_a_folder_that_is_not_there_holds_no_heads(tmp_path: Path) -> None:
    assert load_heads(tmp_path / "nowhere") == {}
