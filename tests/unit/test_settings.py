"""A setting is a variable of the environment, or a file that a variable names."""

from pathlib import Path

import pytest

from facealbum.errors import InvalidValueError
from facealbum.settings import load_settings


def test_a_password_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("amqp://facealbum:secret@broker//\n", encoding="utf-8")
    monkeypatch.setenv("FACEALBUM_BROKER_URL_FILE", str(tmp_path / "url"))
    assert load_settings().broker_url == "amqp://facealbum:secret@broker//"


def test_a_number_may_lie_in_a_file_and_is_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "number").write_text("many", encoding="utf-8")
    monkeypatch.setenv("FACEALBUM_PROCESSES_FILE", str(tmp_path / "number"))
    with pytest.raises(InvalidValueError, match="FACEALBUM_PROCESSES"):
        load_settings()


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_can_not_be_read_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "url").write_bytes(content)
    monkeypatch.setenv("FACEALBUM_DATABASE_URL_FILE", str(tmp_path / "url"))
    with pytest.raises(InvalidValueError, match="FACEALBUM_DATABASE_URL_FILE"):
        load_settings()


def test_a_setting_is_given_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FACEALBUM_BROKER_URL", "redis://here")
    monkeypatch.setenv("FACEALBUM_BROKER_URL_FILE", str(tmp_path / "url"))
    with pytest.raises(InvalidValueError, match="not both"):
        load_settings()
