"""Celery workers: thin tasks that call facealbum.steps."""

import os

# Read when Celery's pool is imported, so set before anything of it is.  A worker that is told to stop lets its tasks go
# on for a while, then hands what is not done back to the queue; without this it waits for ever, or until it is killed.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
