"""Files that are there as a whole or not at all, whenever their writer is killed and whoever reads meanwhile."""

import os
from collections.abc import Mapping
from pathlib import Path


def write_whole(contents: Mapping[Path, bytes]) -> None:
    """Put each content in its file's place, in this order once all are written; what can't be kept changes nothing.

    Raises OSError.
    """
    parts = {file: file.with_name(f".{file.name}.{os.getpid()}.part") for file in contents}
    try:
        for file, part in parts.items():
            part.write_bytes(contents[file])
        for file, part in parts.items():
            part.replace(file)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
