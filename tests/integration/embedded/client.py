"""A process that uses the embedded server as it is told, one JSON command a line: run by the tests, not by pytest."""

import ctypes
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

_PR_SET_CHILD_SUBREAPER = 36
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

# The right to read the interpreter, where the tests had to lend one, is not for the server.
ctypes.CDLL(None).prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)

from sqlalchemy import create_engine, text  # noqa: E402 - see above
from sqlalchemy.exc import DBAPIError  # noqa: E402

from facealbum.errors import FacealbumError  # noqa: E402
from facealbum.storage.embedded import EmbeddedPostgres  # noqa: E402


def sql(server: EmbeddedPostgres, statement: str) -> list[list[Any]]:
    """Run one committed statement."""
    engine = create_engine(server.start(), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            result = connection.execute(text(statement))
            return [list(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


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
        except (FacealbumError, DBAPIError) as error:
            answer = {"error": type(error).__name__, "message": str(error)}
        print(json.dumps(answer, default=str), flush=True)  # noqa: T201 - this is how it answers


main()
