"""The command line.  Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with problems.

Each command opens what it needs, calls one step and shows its result; what it needs is imported inside the commands,
so that `facealbum --help` answers at once.  A process that `analyze` starts imports this module too, and no command.
"""

import sys

from facealbum.errors import (
    FacealbumError,
    InvalidValueError,
    UnknownFamilyError,
    UnknownModelError,
    UnknownSampleError,
)


def main() -> None:
    """Run the command line; an error of ours is one clear line, a mistake of ours an event where there is a log."""
    from facealbum import console
    from facealbum.cli.command import Exit
    from facealbum.cli.commands import app

    try:
        app(standalone_mode=True)
    except (InvalidValueError, UnknownFamilyError, UnknownModelError, UnknownSampleError) as error:
        console.complain(f"facealbum: {error}")
        sys.exit(Exit.USAGE)
    except FacealbumError as error:
        console.complain(f"facealbum: {error}")
        sys.exit(Exit.FAILED)
    except OSError as error:
        console.complain(f"facealbum: {error.filename or 'the system'}: {error.strerror}")
        sys.exit(Exit.FAILED)
    except Exception as error:
        from facealbum.logs import log_crash

        if not log_crash(error):
            raise
        sys.exit(Exit.FAILED)
