"""The doctor looks at everything, whatever is wrong with the rest."""

from pathlib import Path

import pytest

from facealbum.settings import Settings
from facealbum.steps.doctor import examine


def wrong(settings: Settings) -> dict[str, str]:
    return {finding.subject: finding.detail for finding in examine(settings) if not finding.fine}


def test_nothing_is_wrong_on_embedded_defaults(tmp_path: Path) -> None:
    findings = examine(Settings(data=tmp_path / "data"))
    assert all(finding.fine for finding in findings)
    assert any("embedded" in finding.detail for finding in findings)


def test_a_database_that_is_away_is_named_and_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, database_url="postgresql://postgres:geheim@127.0.0.1:1/facealbum")
    found = wrong(settings)
    assert found.keys() == {"database"}
    assert "geheim" not in found["database"]


@pytest.mark.parametrize("store", ["ftp://somewhere", "s3://"])
def test_an_object_store_that_cannot_be_is_named(database_url: str, tmp_path: Path, store: str) -> None:
    assert wrong(Settings(data=tmp_path, database_url=database_url, object_store=store)).keys() == {"object store"}


def test_a_data_folder_that_is_a_file_is_named(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder", encoding="utf-8")
    settings = Settings(data=tmp_path / "data" / "deeper", database_url=database_url, object_store=str(tmp_path / "o"))
    assert wrong(settings).keys() == {"data folder"}
