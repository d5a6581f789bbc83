"""The processes that a running facealbum consists of: the one table behind `facealbum stack` and docker-compose.yml."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Process:
    """`facealbum` with these arguments, running for ever.

    needs: the setting without which it has nothing to do.  listens: the further arguments by which others reach it from
    outside of its container.
    """

    name: str
    arguments: tuple[str, ...]
    needs: str | None = None
    listens: tuple[str, ...] = ()

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues it works on."""
        return tuple(self.arguments[2].split(",")) if self.arguments[0] == "worker" else ()


# RabbitMQ counts what a worker may hold by queue, so that a worker of several would hold a message of each; only those
# whose tasks take moments share one.
PROCESSES = (
    Process("web", ("web",), listens=("--host", "0.0.0.0")),  # noqa: S104 - there, Docker decides who reaches it
    Process("relay", ("relay",)),
    Process("beat", ("beat",)),
    Process("analysis", ("worker", "--queues", "analysis")),
    Process("matching", ("worker", "--queues", "matching", "--processes", "1")),
    Process("clustering", ("worker", "--queues", "clustering")),
    Process("maintenance", ("worker", "--queues", "evaluation,maintenance", "--processes", "1")),
)
