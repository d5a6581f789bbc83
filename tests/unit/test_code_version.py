"""The code version names the commit, wherever it can be known."""

import subprocess
from pathlib import Path
from re import fullmatch

from facealbum.code_version import _of_checkout, _of_image, _of_installation, code_version

COMMIT = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"


def test_an_image_is_told_its_commit() -> None:
    assert _of_image({"FACEALBUM_COMMIT": COMMIT}) == COMMIT[:12]
    assert _of_image({"FACEALBUM_COMMIT": ""}) is None
    assert _of_image({}) is None


def test_an_installation_from_a_repository_has_its_commit_in_its_metadata() -> None:
    origin = f'{{"url": "https://example.org/x", "vcs_info": {{"vcs": "git", "commit_id": "{COMMIT}"}}}}'
    assert _of_installation(origin) == COMMIT[:12]
    assert _of_installation('{"url": "file:///x", "dir_info": {"editable": true}}') is None
    assert _of_installation(None) is None


def test_a_checkout_tells_its_commit_and_whether_it_was_changed_since(tmp_path: Path) -> None:
    assert _of_checkout(tmp_path) is None, "no checkout, even within one"
    _git(tmp_path, "init", "--quiet")
    assert _of_checkout(tmp_path) is None, "without a commit"
    (tmp_path / "code.py").write_text("one = 1\n")
    _git(tmp_path, "add", "code.py")
    _git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "first")
    commit = _git(tmp_path, "rev-parse", "--short=12", "HEAD")
    assert _of_checkout(tmp_path) == commit
    (tmp_path / "code.py").write_text("one = 2\n")
    assert _of_checkout(tmp_path) == f"{commit}-dirty"


def test_the_code_version_is_the_release_with_its_commit() -> None:
    assert fullmatch(r"[0-9.]+(-g[0-9a-f]{7,12}(-dirty)?)?", code_version())


def _git(folder: Path, *words: str) -> str:
    command = ("git", "-C", str(folder), *words)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
