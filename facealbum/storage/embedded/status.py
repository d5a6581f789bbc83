"""What `facealbum doctor` shows of the embedded server; looks only, starts and creates nothing."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from facealbum.errors import DatabaseUnavailableError
from facealbum.storage.embedded import locks
from facealbum.storage.embedded.account import user_name
from facealbum.storage.embedded.binaries import MAJOR, find_installation
from facealbum.storage.embedded.cluster import Cluster


@dataclass(frozen=True, slots=True)
class EmbeddedStatus:
    """The state of one database folder; `problems` are sentences, none if all is well.

    version: of the installed programs, as "18.4".  user: the owner of the cluster; None if there is none yet.
    socket_directory: None unless the server is ready for clients.
    """

    running: bool
    pid: int | None
    version: str | None
    directory: Path
    socket_directory: Path | None
    user: str | None
    problems: tuple[str, ...]


def inspect(cluster: Cluster) -> EmbeddedStatus:
    """The state of the cluster and its server, running or not."""
    problems: list[str] = []
    version = postmaster = user = None
    try:
        version = _version(find_installation())
    except DatabaseUnavailableError as error:
        problems.append(str(error))
    try:
        postmaster = cluster.postmaster()
        user = user_name(cluster.data.stat().st_uid) if cluster.data.exists() else None
        problems += _problems(cluster)
    except (OSError, KeyError) as error:
        problems.append(f"The cluster in {cluster.directory} can't be examined: {error}.")
    return EmbeddedStatus(
        running=postmaster is not None,
        pid=postmaster.pid if postmaster else None,
        version=version,
        directory=cluster.directory,
        socket_directory=postmaster.socket_directory if postmaster else None,
        user=user,
        problems=tuple(problems),
    )


def _problems(cluster: Cluster) -> list[str]:
    problems = []
    if cluster.directory.exists() and not os.access(cluster.directory, os.W_OK):
        problems.append(f"{cluster.directory} can't be written to by this user.")
    if cluster.data.exists():
        major = (cluster.data / "PG_VERSION").read_text("ascii").strip()
        if major != MAJOR:
            problems.append(f"The cluster is of PostgreSQL {major}, the programs are of {MAJOR}: dump and load it.")
    if cluster.postmaster() is None and locks.is_held(cluster.directory / locks.SERVER):
        problems.append("The server was killed and its last children still finish; it can be started after that.")
    return problems


def _version(installation: Path) -> str:
    """The last word of "postgres (PostgreSQL) 18.4"."""
    command = (str(installation / "bin" / "postgres"), "--version")
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    return result.stdout.split()[-1]
