"""A PostgreSQL server with pgvector that needs no installation, no port and no administrator's attention."""

from facealbum.storage.embedded.status import EmbeddedStatus
from facealbum.storage.embedded.supervisor import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedStatus"]
