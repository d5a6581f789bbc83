"""Keeps what native libraries announce of themselves off standard error; whatever else is written gets there.

LiteRT tells of its CPU delegate, and TensorFlow of oneDNN and the processor, through no switch that could silence them
alone.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from facealbum.errors import ModelError

_STDERR = 2
_TENSORFLOW = (
    r"I\d{4} .*"  # information, as absl logs it
    r"|To enable the following instructions: .*"
    r"|WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR"
)
_FILTER = """\
import re, sys
known = re.compile(sys.argv[1].encode())
sys.stdout.buffer.writelines(line for line in sys.stdin.buffer if not known.fullmatch(line.strip()))
"""


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


@contextmanager
def filtered(known: str) -> Iterator[None]:
    """Let all lines of standard error through but those that match as a whole, even if the process dies in the block.

    Costs a process of its own, some 20 ms.
    """
    sys.stderr.flush()
    real = os.dup(_STDERR)
    command = [sys.executable, "-I", "-S", "-c", _FILTER, known]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=real, start_new_session=True) as child:  # noqa: S603 - ours
        assert child.stdin is not None  # noqa: S101 - as asked for
        os.dup2(child.stdin.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(real, _STDERR)
            os.close(real)


@cache
def load_keras() -> Any:  # noqa: ANN401 - keras ships no types
    """Keras over TensorFlow, which tell nothing but warnings and errors; raises ModelError where they aren't installed.

    Takes seconds.  Both can be imported as usual from then on.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # of what is logged later
    try:
        with filtered(_TENSORFLOW):
            import keras  # noqa: PLC0415 - only training pays for it
    except ImportError as error:
        raise ModelError("TensorFlow must be installed for this; pip install 'facealbum[train]'") from error
    return keras
