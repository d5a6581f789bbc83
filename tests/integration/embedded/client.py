"""A process that uses the embedded server as it is told, one JSON command a line: run by the tests, not by pytest."""

import ctypes
import json
import os
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_PR_SET_CHILD_SUBREAPER = 36
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

# The right to read the interpreter, where the tests had to lend one, is not for the server.
ctypes.CDLL(None).prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)

import psycopg2  # noqa: E402 - see above

from facealbum.errors import FacealbumError  # noqa: E402
from facealbum.storage.embedded import EmbeddedPostgres  # noqa: E402


def sql(server: EmbeddedPostgres, statement: str) -> list[tuple[Any, ...]]:
    """Run one committed statement."""
    url = urlsplit(server.start())
    place = dict(parse_qsl(url.query))
    with closing(psycopg2.connect(user=url.username, dbname=url.path[1:], **place)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def release_in_fork(server: EmbeddedPostgres) -> None:
    """Release in a forked child, which ends."""
    child = os.fork()
    if child == 0:
        server.release()
        os._exit(0)
    os.waitpid(child, 0)


def run(server: EmbeddedPostgres, command: str, argument: str) -> Any:  # noqa: ANN401 - anything that JSON holds
    """Do what the test says."""
    match command:
        case "adopt_orphans":
            return ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        case "release_in_fork":
            return release_in_fork(server)
        case "sql":
            return sql(server, argument)
        case "status":
            return asdict(server.status())
        case _:
            return getattr(server, command)()


def main() -> None:
    """Answer each line with a line."""
    server = EmbeddedPostgres(Path(sys.argv[1]))
    for line in sys.stdin:
        try:
            answer = {"value": run(server, *json.loads(line))}
        except (FacealbumError, psycopg2.Error) as error:
            answer = {"error": type(error).__name__, "message": str(error)}
        print(json.dumps(answer, default=str), flush=True)  # noqa: T201 - this is how it answers


main()
