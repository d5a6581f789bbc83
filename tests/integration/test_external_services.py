"""The same code on a PostgreSQL that somebody else runs, and on a real S3 server."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from facealbum import demo

CLI = str(Path(sys.executable).with_name("facealbum"))
PORTRAIT = min((Path(demo.__file__).parent / "portraits").glob("*.jpg"))


@pytest.fixture
def environment(server: str, database_url: str, s3_server: dict[str, str], tmp_path: Path) -> dict[str, str]:
    assert server.split("?")[1] == database_url.split("?")[1]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("FACEALBUM_")}
    return (
        plain
        | s3_server
        | {
            "FACEALBUM_DATA": str(tmp_path / "unused"),
            "FACEALBUM_DATABASE_URL": database_url.replace("postgresql+psycopg2://", "postgresql://"),
            "FACEALBUM_OBJECT_STORE": "s3://photos/some/prefix",
        }
    )


def objects(environment: dict[str, str]) -> list[str]:
    client: Any = boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL_S3"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    return [item["Key"] for item in client.list_objects_v2(Bucket="photos", Prefix="some/").get("Contents", ())]


def test_the_main_job_runs_on_services_and_uses_nothing_embedded(environment: dict[str, str], tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        command = [CLI, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(PORTRAIT.read_bytes())
    assert "s3://photos/some/prefix" in run("doctor")
    run("import", str(tmp_path / "in"), "--family", "Mori")
    assert len(objects(environment)) == 1
    assert "1 face found" in run("analyze")
    run("cluster", "--through", "2030-01")
    run("export", "faces", str(tmp_path / "faces.csv"))
    assert len((tmp_path / "faces.csv").read_text(encoding="utf-8").splitlines()) == 2
    run("family", "delete", "Mori", "--yes")
    assert objects(environment) == []
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("FACEALBUM_DATABASE_URL", "mysql://somewhere/else", "postgresql://"),
        ("FACEALBUM_DATABASE_URL", "no url", "postgresql://"),
        ("FACEALBUM_DATABASE_URL", "postgresql://postgres:geheim@127.0.0.1:1/facealbum", "did not answer"),
        ("FACEALBUM_OBJECT_STORE", "ftp://somewhere", "s3://"),
        ("FACEALBUM_PROCESSES", "many", "FACEALBUM_PROCESSES"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(tmp_path: Path, name: str, value: str, word: str) -> None:
    environment = os.environ | {"FACEALBUM_DATA": str(tmp_path), name: value}
    done = subprocess.run([CLI, "family", "list"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in {1, 2}
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert "geheim" not in done.stderr
