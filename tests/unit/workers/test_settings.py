"""Each trap of Celery and its brokers has its setting; tests/contracts/test_broker.py shows most of them at work."""

import subprocess
import sys
from pathlib import Path

import pytest
from celery import Celery

from facealbum.settings import Settings
from workers.app import TASKS, longest_wait, make_app

BROKERS = ["amqp://host//", "redis://host", "redis+socket:///run/valkey", "sqs://"]


def worker_of(url: str, **settings: float) -> Celery:
    return make_app(Settings(broker_url=url, data=Path("/data"), **settings))


@pytest.mark.parametrize("url", BROKERS)
def test_a_message_is_acknowledged_after_its_work_whatever_becomes_of_the_process(url: str) -> None:
    found = worker_of(url).conf
    assert found.task_acks_late
    assert found.task_reject_on_worker_lost
    assert not found.task_acks_on_timeout
    assert found.worker_prefetch_multiplier == 1


@pytest.mark.parametrize("url", BROKERS)
def test_only_json_travels_and_no_result_is_kept(url: str) -> None:
    found = worker_of(url).conf
    assert found.accept_content == ["json"]
    assert found.task_serializer == "json"
    assert found.task_ignore_result
    assert found.result_backend is None


@pytest.mark.parametrize("url", BROKERS[1:])
@pytest.mark.parametrize("seconds", [1, 600, 20_000])
def test_no_message_is_handed_out_again_while_somebody_may_work_on_it(url: str, seconds: float) -> None:
    found = worker_of(url, task_seconds=seconds).conf
    wait = longest_wait(Settings(task_seconds=seconds))
    assert found.broker_transport_options["visibility_timeout"] >= wait + 2 * found.task_time_limit


@pytest.mark.parametrize("url", BROKERS[1:3])
def test_redis_looks_often_for_messages_of_the_dead(url: str) -> None:
    options = worker_of(url).conf.broker_transport_options
    assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] <= 5


def test_sqs_takes_the_visibility_timeout_and_waits_for_messages() -> None:
    options = worker_of("sqs://", task_seconds=15_000).conf.broker_transport_options
    assert options["visibility_timeout"] <= 12 * 3600
    assert 0 < options["wait_time_seconds"] <= 20
    assert options["polling_interval"] < 1 < options["wait_time_seconds"]
    assert not worker_of("sqs://").conf.worker_enable_remote_control


def test_the_queues_of_an_account_of_sqs_carry_our_name() -> None:
    assert worker_of("sqs://").conf.broker_transport_options["queue_name_prefix"] == "facealbum-"


def test_rabbitmq_confirms_what_it_is_given_and_keeps_it_in_quorum_queues() -> None:
    found = worker_of("amqp://host//").conf
    assert found.broker_transport_options["confirm_publish"]
    assert {queue.name for queue in found.task_queues} == set(TASKS)
    for queue in found.task_queues:
        assert queue.queue_arguments["x-queue-type"] == "quorum"
        assert queue.queue_arguments["x-delivery-limit"] > 1000  # it would drop what it has handed out that often
        assert queue.queue_arguments["x-consumer-timeout"] / 1000 > 1.2 * 20_000 * len(TASKS)
        assert queue.exchange.type == "topic"  # its delays don't work with a direct one


def test_a_task_is_asked_to_stop_before_it_is_killed() -> None:
    found = worker_of("redis://host", task_seconds=100).conf
    assert found.task_soft_time_limit == 100
    assert found.task_time_limit == 120


def test_a_process_is_replaced_when_it_grows_and_has_time_to_start() -> None:
    found = worker_of("redis://host", worker_memory_mb=700).conf
    assert found.worker_max_memory_per_child == 700_000
    assert found.worker_proc_alive_timeout >= 60


def test_a_worker_outlives_any_pause_of_its_broker() -> None:
    found = worker_of("redis://host").conf
    assert found.broker_connection_max_retries is None
    assert found.broker_connection_retry_on_startup


def test_a_worker_that_is_told_to_stop_gives_up_in_time() -> None:
    assert worker_of("redis://host", worker_stop_seconds=7).conf.worker_soft_shutdown_timeout == 7


def test_the_clock_keeps_its_place_in_the_data_folder_and_piles_nothing_up() -> None:
    found = worker_of("redis://host", relay_seconds=3).conf
    assert found.beat_schedule_filename == "/data/beat-schedule"
    assert found.beat_sync_every == 1
    assert found.beat_schedule["relay"]["schedule"] == 3
    for due in found.beat_schedule.values():
        assert (due["task"], due["options"]["expires"]) == (TASKS["maintenance"], due["schedule"])


def test_the_tasks_are_there_under_the_names_that_messages_carry_and_load_no_model() -> None:
    program = (
        "import sys; from workers.app import TASKS, app; app.loader.import_default_modules();"
        "assert {name for name in app.tasks if name.startswith('workers.')} == set(TASKS.values());"
        "assert not {'ai_edge_litert', 'tensorflow', 'onnxruntime', 'models.analyzer'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_worker_neither_gossips_nor_mingles_and_stops_softly() -> None:
    program = (
        "import sys; from workers.app import app; app.worker_main = lambda options: print(*options);"
        "from workers.command import run_worker; run_worker(['analysis'], 2)"
    )
    environment = {"FACEALBUM_BROKER_URL": "memory://", "PATH": "/bin"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert {"--without-gossip", "--without-mingle", "--queues=analysis", "--concurrency=2"} <= set(done.stdout.split())
