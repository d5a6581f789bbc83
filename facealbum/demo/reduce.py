"""Makes the bundled portraits again from the packages that carry their sources.

    python -m facealbum.demo.reduce FOLDER_WITH_THE_ARCHIVES OUTPUT_FOLDER

The archives are those that manifest.json names, as the package index serves them.  A source whose digest differs
is refused; the files made here equal the bundled ones as long as Pillow encodes JPEG as it did.
"""

import hashlib
import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from PIL import Image

from facealbum.errors import ManifestError

_LONGEST_SIDE = 600
_QUALITY = 88


def reduce_portraits(archives: Path, output: Path) -> None:
    """Write every portrait of the manifest into `output`; raises ManifestError for a source that is another file."""
    rows = json.loads((Path(__file__).parent / "portraits" / "manifest.json").read_text(encoding="utf-8"))
    output.mkdir(parents=True, exist_ok=True)
    for row in rows:
        (output / f"{row['key']}.jpg").write_bytes(reduce(_source(archives, row["source"]), row["crop"]))


def reduce(source: bytes, crop: list[int]) -> bytes:
    """Cut out the box (left, top, right, bottom), shrink it to 600 pixels, drop all metadata; JPEG bytes."""
    image = Image.open(io.BytesIO(source)).convert("RGB").crop((crop[0], crop[1], crop[2], crop[3]))
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
    image.info.clear()
    output = io.BytesIO()
    image.save(output, "JPEG", quality=_QUALITY, optimize=True)
    return output.getvalue()


def _source(archives: Path, source: dict[str, Any]) -> bytes:
    path = archives / source["archive"]
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            data = wheel.read(source["path"])
    else:
        with tarfile.open(path) as archive:
            member = archive.extractfile(source["path"])
            data = member.read() if member else b""
    digest = hashlib.sha256(data).hexdigest()
    if digest != source["sha256"]:
        raise ManifestError(f"{source['path']} must have sha256 {source['sha256']}, got {digest}; take {path.name}")
    return data


if __name__ == "__main__":
    reduce_portraits(Path(sys.argv[1]), Path(sys.argv[2]))
