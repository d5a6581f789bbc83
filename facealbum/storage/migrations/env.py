"""Alembic's entry: migrates the connection that facealbum.storage.database hands over, in one transaction."""

from alembic import context

from facealbum.storage.migrations.compare import include_object
from facealbum.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=include_object,
    compare_server_default=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
