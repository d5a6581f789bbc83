"""Keeps a known line of a native library off standard error.

LiteRT announces its CPU delegate once a process and has no switch for it.  Whatever else is written in the meantime
still gets there, a moment later.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


@contextmanager
def without_line(line: bytes) -> Iterator[None]:
    """Hold standard error back during the block, then let everything through but this line."""
    sys.stderr.flush()
    real = os.dup(_STDERR)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(real, _STDERR)
            os.close(real)
            held.seek(0)
            os.write(_STDERR, b"".join(said for said in held if said.strip() != line))
