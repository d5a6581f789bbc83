"""Alembic's migrations; a migration imports nothing of facealbum, so that old ones stay as they were."""
