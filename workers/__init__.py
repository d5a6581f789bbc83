"""Celery workers: thin tasks that call facealbum.steps."""
