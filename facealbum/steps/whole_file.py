"""Writing a file so that it is there as a whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facealbum.errors import InvalidValueError


def check_place(path: Path) -> None:
    """Raises InvalidValueError if no file can be written at `path`, before any work is done for it."""
    if path.is_dir() or not path.parent.is_dir():
        raise InvalidValueError(f"what is written must be a file in a folder that is there, got {path}")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; what is there when the block ends well takes the place of `path`.

    Raises InvalidValueError as `check_place` does.
    """
    check_place(path)
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
