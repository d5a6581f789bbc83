"""docker-compose.yml, the Dockerfile, the settings and the table of processes say the same.

Docker itself is not needed: what is checked is what the files say.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from eval.stage.servers import free_ports
from facealbum.cli.commands import app
from facealbum.settings import Settings, load_settings
from facealbum.stack import PROCESSES
from facealbum.stack.passwords import write_passwords
from facealbum.status_server import status_served
from facealbum.steps.health import Pulse, Status
from workers.app import TASKS

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("facealbum:")}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_each_process_is_a_service_with_the_same_command() -> None:
    commands = {name: tuple(service["command"]) for name, service in OURS.items()}
    expected = {process.name: process.arguments + process.listens for process in PROCESSES}
    assert commands == expected | {"migrate": ("migrate",)}


def test_each_process_is_a_command_that_there_is() -> None:
    commands = getattr(typer.main.get_command(app), "commands", {})
    assert {process.arguments[0] for process in PROCESSES} <= set(commands)
    assert {process.needs for process in PROCESSES if process.needs} <= set(Settings.model_fields)


def test_each_queue_has_one_kind_of_worker() -> None:
    assert sorted(queue for process in PROCESSES for queue in process.queues) == sorted(TASKS)


def test_each_process_is_described() -> None:
    table = (ROOT / "docs" / "stack.md").read_text(encoding="utf-8").split("\n## ")[0]
    described = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    assert described == [process.name for process in PROCESSES]


@pytest.mark.parametrize("name", OURS)
def test_a_service_sets_only_settings_that_there_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {key: value for key, value in OURS[name]["environment"].items() if key.startswith("FACEALBUM_")}
    names = {key.removeprefix("FACEALBUM_").removesuffix("_FILE").lower() for key in given}
    assert names <= set(Settings.model_fields)
    for key, value in given.items():
        if not key.endswith("_FILE"):
            monkeypatch.setenv(key, value)
    assert load_settings().data == Path("/data")


@pytest.mark.parametrize("name", sorted({*OURS} - {"migrate"}))
def test_a_process_may_end_in_order_before_it_is_killed(name: str) -> None:
    grace = int(OURS[name]["stop_grace_period"].removesuffix("s"))
    assert grace >= int(OURS[name]["environment"]["FACEALBUM_WORKER_STOP_SECONDS"]) + 10


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_bounded_and_has_no_rights_to_spare(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"cpus", "memory"} == set(service["deploy"]["resources"]["limits"])
    assert service["logging"]["options"]["max-size"]
    assert re.search(r":v?\d+\.\d+", service["image"]), "name the image's release"
    assert service.get("user") != "root" or service["cap_add"] == ["DAC_OVERRIDE"]
    assert service.get("read_only") or name == "broker"
    assert not service.get("privileged")


@pytest.mark.parametrize("name", OURS)
def test_what_a_process_writes_to_memory_leaves_it_room_to_work(name: str) -> None:
    service = OURS[name]
    folders = dict(folder.split(":size=") for folder in service["tmpfs"])
    assert sum(map(megabytes, folders.values())) <= megabytes(service["deploy"]["resources"]["limits"]["memory"]) / 8
    mounted = {volume.split(":")[1] for volume in service["volumes"]} | folders.keys()
    assert mounted == {"/data", "/tmp"}  # noqa: S108 - a container's own, and all that it may write to


def megabytes(size: str) -> int:
    return int(size[:-1]) * {"m": 1, "g": 1024}[size[-1]]


def test_uploads_that_come_in_lie_on_a_disk() -> None:
    assert "uploads:/tmp" in OURS["web"]["volumes"]


def test_a_worker_s_processes_fit_into_its_memory() -> None:
    for name, service in OURS.items():
        if service["command"][0] == "worker" and name == "analysis":
            processes = int(service["environment"]["FACEALBUM_PROCESSES"])
            most = processes * Settings.model_fields["worker_memory_mb"].default
            assert megabytes(service["deploy"]["resources"]["limits"]["memory"]) >= most


@pytest.mark.parametrize("name", sorted({*OURS} - {"migrate"}))
def test_the_question_after_a_process_s_health_can_be_asked(name: str) -> None:
    _, program, *arguments = OURS[name]["healthcheck"]["test"]
    assert (program, arguments[0]) == ("python", "-c")
    (port,) = free_ports(1)
    asked = re.sub(r":\d{4}/", f":{port}/", arguments[1])
    now = [0.0]
    pulse = Pulse(60, lambda: now[0])
    with status_served(Status({}, pulse=pulse), port):
        assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
        now[0] = 61
        assert subprocess.run([sys.executable, "-c", asked], capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("name", sorted({*SERVICES} - {"migrate"}))
def test_a_service_says_whether_it_is_well(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_nobody_waits_for_a_service_that_never_says_it_is_well() -> None:
    for service in SERVICES.values():
        for other, condition in service.get("depends_on", {}).items():
            well = {"condition": "service_healthy"}
            assert condition == ({"condition": "service_completed_successfully"} if other == "migrate" else well)


def test_only_this_machine_reaches_what_is_published() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert COMPOSE["networks"]["inside"]["internal"]
    assert {name for name, service in SERVICES.items() if "outside" in service["networks"]} == {
        name for name, service in SERVICES.items() if service.get("ports")
    }


def test_passwords_lie_in_files_and_nowhere_else(tmp_path: Path) -> None:
    for service in SERVICES.values():
        for key in service.get("environment", {}):
            assert key.endswith("_FILE") or not re.search("PASSWORD|SECRET|TOKEN|DATABASE_URL|BROKER_URL", key), key
    made = write_passwords(tmp_path)
    assert {entry["file"] for entry in COMPOSE["secrets"].values()} == {f"secrets/{name}" for name in made}
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "secrets/" in ignored


def test_the_bucket_is_there_before_its_clients_ask_for_it() -> None:
    buckets = {service["environment"]["FACEALBUM_OBJECT_STORE"].removeprefix("s3://") for service in OURS.values()}
    assert [f"-bucket={bucket}" for bucket in buckets] == [
        option for option in SERVICES["objects"]["command"] if option.startswith("-bucket=")
    ]


def test_a_server_and_its_clients_have_the_same_password(tmp_path: Path) -> None:
    write_passwords(tmp_path)
    given = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert f":{given['database_password']}@database/" in given["database_url"]
    assert given["broker.conf"].split()[-1] in given["broker_url"]
    assert given["aws_credentials"].split()[-1] in given["objects.json"]
    assert len(set(given.values())) == len(given)


def test_passwords_that_are_there_stay_and_halves_are_refused(tmp_path: Path) -> None:
    write_passwords(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    command = [sys.executable, str(ROOT / "facealbum" / "stack" / "passwords.py"), str(tmp_path)]
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / "broker_url").unlink()
    with pytest.raises(FileExistsError, match="broker"):
        write_passwords(tmp_path)


def test_prometheus_asks_every_process() -> None:
    jobs = yaml.safe_load(COMPOSE["configs"]["prometheus"]["content"])["scrape_configs"]
    asked = {name: target["port"] for target in jobs[0]["dns_sd_configs"] for name in target["names"]}
    assert set(asked) == {process.name for process in PROCESSES}
    for name, port in asked.items():
        assert f":{port}/healthz" in SERVICES[name]["healthcheck"]["test"][-1]
        assert name == "web" or SERVICES[name]["environment"]["FACEALBUM_STATUS_PORT"] == str(port)


def test_what_is_mounted_from_here_is_here() -> None:
    mounted = [volume for service in SERVICES.values() for volume in service.get("volumes", ())]
    assert all((ROOT / volume.split(":")[0]).is_file() for volume in mounted if volume.startswith("./"))


def test_the_image_is_made_from_the_lock_file_and_runs_as_nobody() -> None:
    assert "--require-hashes --no-deps --requirement requirements.lock" in DOCKERFILE
    assert re.search(r"^USER \d{5}:\d{5}$", DOCKERFILE, flags=re.MULTILINE)
    assert not re.search(r"^tensorflow", (ROOT / "requirements.lock").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert "HEALTHCHECK" in DOCKERFILE
    copied = set(re.findall(r"^COPY (?!--from)([\w.]+)", DOCKERFILE, flags=re.MULTILINE))
    allowed = set((ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines())
    assert {f"!{name}" for name in copied} <= allowed
    whole = " ".join(re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, flags=re.MULTILINE)).split()
    assert whole
    assert not [path for path in whole if not (ROOT / path).exists()]
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), flags=re.MULTILINE)
    removed = re.findall(r"pip uninstall --yes (.*)$", DOCKERFILE, flags=re.MULTILINE)[0].split()
    assert set(removed) <= {*locked, "pip"}
    assert "*" in allowed
