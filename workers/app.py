"""The Celery application: JSON only, acknowledged after the work, one task at a time, safe to run twice.

FACEALBUM_BROKER_URL=… celery --app workers.app worker --queues analysis,clustering
"""

from celery import Celery

from facealbum.settings import Settings, load_settings

QUEUES = {"workers.analysis.*": "analysis", "workers.clustering.*": "clustering"}


def make_app(settings: Settings) -> Celery:
    """An application on the broker of these settings."""
    app = Celery("facealbum", broker=settings.broker_url, include=["workers.analysis", "workers.clustering"])
    app.conf.update(
        accept_content=["json"],
        broker_connection_retry_on_startup=True,
        task_acks_late=True,
        task_ignore_result=True,
        task_reject_on_worker_lost=True,
        task_routes={pattern: {"queue": queue} for pattern, queue in QUEUES.items()},
        task_serializer="json",
        timezone="UTC",
        worker_prefetch_multiplier=1,
    )
    return app


app = make_app(load_settings())
