"""The world as one process of a worker sees it: opened by its first task, kept for the next ones.

Nothing is opened before the pool forks, so no process shares a connection or a model with another.
"""

from contextlib import ExitStack
from functools import lru_cache

from celery import signals

from facealbum.settings import load_settings
from facealbum.steps.context import Context, open_context

_opened = ExitStack()


@lru_cache(maxsize=1)
def this_context() -> Context:
    """This process's context; an opening that fails is tried again by the next call."""
    return _opened.enter_context(open_context(load_settings()))


@signals.worker_process_shutdown.connect
@signals.worker_shutdown.connect
def close_context(**_: object) -> None:
    """Give everything back; the next task opens it anew."""
    this_context.cache_clear()
    _opened.close()
