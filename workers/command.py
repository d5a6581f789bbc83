"""Starting a worker or the clock, with the options that Celery takes on the command line alone."""

import os
from collections.abc import Sequence

from facealbum.counting import counted_together
from facealbum.errors import InvalidValueError
from facealbum.logs import configure_logs
from facealbum.settings import load_settings


def run_worker(queues: Sequence[str], processes: int | None = None) -> None:
    """Work on these queues, or all, until told to stop."""
    configure_logs(load_settings().logs)
    if not load_settings().status_port:
        _run_worker(queues, processes)
        return
    with counted_together():
        _run_worker(queues, processes)


def _run_worker(queues: Sequence[str], processes: int | None) -> None:
    from workers.app import TASKS, app  # noqa: PLC0415 - reads the settings, and takes long
    from workers.observed import worker_status  # noqa: PLC0415
    from workers.sending import check_broker  # noqa: PLC0415

    if unknown := set(queues) - set(TASKS):
        raise InvalidValueError(f"there is no queue {', '.join(sorted(unknown))}; there are {', '.join(TASKS)}")
    check_broker()
    options = [
        "--quiet",  # what it would print at its start is no log
        "worker",
        "--without-gossip",
        "--without-mingle",
        "--loglevel=INFO",
        f"--queues={','.join(queues or TASKS)}",
        f"--hostname={os.getpid()}@%h",  # workers of one name, as those of a machine have by themselves, count as one
    ]
    with worker_status(app, load_settings(), analyses="analysis" in (queues or TASKS)):
        app.worker_main(options + ([f"--concurrency={processes}"] if processes else []))


def run_beat() -> None:
    """Send by the clock until told to stop; two at once do no harm but send everything twice."""
    configure_logs(load_settings().logs)
    from workers.app import app  # noqa: PLC0415 - as above
    from workers.observed import sender_status  # noqa: PLC0415
    from workers.sending import check_broker  # noqa: PLC0415

    check_broker()
    load_settings().data_folder.mkdir(parents=True, exist_ok=True)
    with sender_status(app, load_settings()):
        app.start(["--quiet", "beat", "--loglevel=INFO", "--pidfile=", "--scheduler=workers.observed:Scheduler"])
