"""What is logged, by us and by libraries, is one JSON object a line with ids, codes and places, and nobody's names."""

import json
import logging
import re
import warnings
from collections.abc import Iterator

import pytest
import structlog

from facealbum.errors import StorageError
from facealbum.logs import _Lines, configure_logs, get_logger, log_crash

HOSTILE = 'Müller\n{"event": "forged"} ../花子.jpg'


@pytest.fixture(autouse=True)
def _json_logs() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    configure_logs("json")
    yield
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, _Lines)]
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_event_carries_its_fields_and_the_ids_that_are_bound(capsys: pytest.CaptureFixture[str]) -> None:
    with structlog.contextvars.bound_contextvars(task_id="t1"):
        get_logger("facealbum.test").info("task_ended", seconds=1.5)
    (found,) = logged(capsys)
    assert list(found)[:3] == ["at", "level", "event"]
    assert found | {"at": ""} == {"at": "", "level": "info", "event": "task_ended", "task_id": "t1", "seconds": 1.5}


def test_an_error_is_told_by_kind_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise StorageError(HOSTILE)

    try:
        fail()
    except StorageError:
        get_logger("facealbum.test").exception("task_ended")
        logging.getLogger("uvicorn.error").exception("Exception in the application")
    for found in logged(capsys):
        assert str(found["error"]).startswith("StorageError at test_logs.py:")
        assert HOSTILE not in found.values()
        assert "Müller" not in json.dumps(found, ensure_ascii=False)


def test_what_libraries_log_of_messages_and_errors_holds_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    task = "0b5d9c43-1d2f-5c0e-9f6a-6f1d6a1d9b7e"
    trace = logging.getLogger("celery.app.trace")
    trace.error("Task %(name)s[%(id)s] raised: %(exc)s", {"name": "workers.x.y", "id": task, "exc": HOSTILE})
    logging.getLogger("celery.worker.consumer.consumer").error("unregistered: %s", HOSTILE)
    logging.getLogger("anything").warning("failed: %s after %d s", ValueError(HOSTILE), 3)
    assert [(found["event"], found["message"]) for found in logged(capsys)] == [
        ("library", f"Task workers.x.y[{task}] raised: …"),
        ("library", "unregistered: …"),
        ("library", "failed: ValueError after 3 s"),
    ]


def test_of_what_a_library_says_only_the_first_line_is_told_and_no_key_of_an_object(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.getLogger("asyncio").error(f"Task exception was never retrieved\nfuture: <Task {HOSTILE!r}>")  # noqa: G004 - as asyncio does
    logging.getLogger("urllib3.connectionpool").warning("Failed to parse headers (url=%s)", f"/uploads/{HOSTILE}")
    lost = ("redis://user:secret@host", ConnectionError(HOSTILE), "Trying again in 2 seconds")
    logging.getLogger("celery.worker.consumer.consumer").error("Cannot connect to %s: %s.\n%s\n", *lost)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.warn(f"{HOSTILE}/a.py:1: b", UserWarning, stacklevel=1)
    told = [str(found["message"]) for found in logged(capsys)]
    assert told[:3] == [
        "Task exception was never retrieved",
        "Failed to parse headers (url=…)",
        "Cannot connect to …: ConnectionError.",
    ]
    assert re.fullmatch(r"test_logs\.py:\d+: UserWarning", told[3])


def test_an_error_that_nobody_caught_is_told_where_there_is_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    assert log_crash(ValueError(HOSTILE))
    (found,) = logged(capsys)
    assert (found["event"], found["error"]) == ("crashed", "ValueError")
    logging.getLogger().handlers.clear()
    assert not log_crash(ValueError(HOSTILE))


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("text")
    get_logger("facealbum.test").info("task_ended", seconds=1.5)
    line = capsys.readouterr().err
    assert "task_ended" in line
    assert "seconds" in line
    assert not line.startswith("{")
