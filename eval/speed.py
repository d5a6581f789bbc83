"""How fast photos of a phone's size are analysed on one core, and where the time goes.

    python -m eval.speed [--photos 60 200] [--out docs/benchmarks.md]

The photos are made: textured 12-megapixel backgrounds with one or two of the demo's portraits, 1.5 faces on average.
The run is the command line on an embedded database with one process, beside what decoding alone costs, so the ratios
hold on any machine.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import cv2
import numpy as np

from eval.bench import write_table
from facealbum.demo.portraits import load_pixels, load_portraits
from models.decode import decode
from models.detector import Detector
from models.network import open_network
from models.registry import load_embedders, load_specs

WIDTH, HEIGHT = 4000, 3000
_PORTRAIT_HEIGHT = 1100
_PARTS = 12  # photos on which the parts are measured
_FACE_ROLES = ("landmarks", "age_gender", "age", "gender")
_MEANWHILE = ("write", "match")  # what the first process does while others analyse
_MARKS = ("<!-- speed: start -->", "<!-- speed: end -->")
_Result = TypeVar("_Result")


def write_photos(folder: Path, count: int) -> list[Path]:
    """Write `count` JPEGs of 12 megapixels, every second one with two faces."""
    draw = np.random.default_rng(12)
    keys = [portrait.key for portrait in load_portraits()]
    paths = []
    for number in range(count):
        photo = _background(draw)
        for place in range(1 + number % 2):
            pixels = load_pixels(keys[(number + place) % len(keys)])
            width = round(_PORTRAIT_HEIGHT * pixels.shape[1] / pixels.shape[0])
            left = 300 + place * 1700 + int(draw.integers(200))
            photo[900 : 900 + _PORTRAIT_HEIGHT, left : left + width] = cv2.resize(pixels, (width, _PORTRAIT_HEIGHT))
        path = folder / f"{number:04d}.jpg"
        cv2.imwrite(str(path), photo[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
        paths.append(path)
    return paths


def _background(draw: np.random.Generator) -> Any:  # noqa: ANN401 - an image of OpenCV
    """Soft shapes with a sensor's grain: about as many bytes as a phone's photo."""
    shapes = cv2.resize(draw.integers(0, 255, (15, 20, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    grain = cv2.resize(draw.normal(0, 9, (HEIGHT // 2, WIDTH // 2)).astype(np.float32), (WIDTH, HEIGHT))
    return np.clip(shapes + grain[:, :, None], 0, 255).astype(np.uint8)


def decoding_ms(paths: Sequence[Path], flag: int) -> float:
    """Milliseconds to decode a photo on one thread."""
    cv2.setNumThreads(1)
    spent = 0.0
    for path in paths:  # one at a time: `analyze` is begun with the peak of this process as its own
        content = np.frombuffer(path.read_bytes(), np.uint8)
        start = perf_counter()
        cv2.imdecode(content, flag)
        spent += perf_counter() - start
    return spent / len(paths) * 1000


@dataclass(frozen=True, slots=True)
class Said:
    """What a command says with --json, the megabytes of its largest process, and the processor's seconds of all."""

    result: Any
    largest: float
    processor: float


def facealbum(data: Path, *arguments: str) -> Said:
    """Run a command on an embedded database below `data`; the server's own work is not counted."""
    environment = os.environ | {"FACEALBUM_DATA": str(data), "FACEALBUM_PROCESSES": "1"}
    command = [str(Path(sys.executable).with_name("facealbum")), *arguments, "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own program
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Said(json.loads(said), used.ru_maxrss * 1024 / 1e6, used.ru_utime + used.ru_stime)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the parts cost when nothing else is done: milliseconds a photo, and those of one face in all networks."""

    decode: float
    detect: float
    face: float
    load: float


def measure_parts(paths: Sequence[Path]) -> Parts:
    """Decoding, detection and inference measured alone, on the same photos; load: of all models, once."""
    start = perf_counter()
    specs, embedder = load_specs(), next(iter(load_embedders().values()))
    used = [specs[role] for role in _FACE_ROLES] + [backbone.model for backbone in embedder.backbones]
    networks = [open_network(spec) for spec in used]
    detector = Detector(specs["detector"], networks[0])
    load = perf_counter() - start
    contents = [path.read_bytes() for path in paths]
    pictures, decoding = _timed(lambda: [decode(content).pixels for content in contents])
    _, detecting = _timed(lambda: [detector.detect(picture) for picture in pictures])
    chips = [(network, np.full((network.size, network.size, 3), 128, np.uint8)) for network in networks]
    _, inferring = _timed(lambda: [network.run(chip) for _ in paths for network, chip in chips])
    each = 1000 / len(paths)
    return Parts(decoding * each, detecting * each, inferring * each, load * 1000)


def _timed(work: Callable[[], _Result]) -> tuple[_Result, float]:
    start = perf_counter()
    return work(), perf_counter() - start


def measure(count: int) -> dict[str, str]:
    """So many photos: every figure by its name."""
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:  # a child inherits its parent's peak
            paths = pool.submit(write_photos, photos, count).result()
        facealbum(Path(folder) / "data", "import", str(photos), "--family", "speed")
        full = decoding_ms(paths[:_PARTS], cv2.IMREAD_COLOR)
        said = facealbum(Path(folder) / "data", "analyze")
        parts = measure_parts(paths[:_PARTS])
    return figures(said, parts, count=count, full=full)


def figures(said: Said, parts: Parts, *, count: int, full: float) -> dict[str, str]:
    """Every figure by its name; `full` is what decoding one photo at full size costs in milliseconds."""
    result = said.result
    total = result["wall_seconds"] / count * 1000
    faces = result["faces"] / count
    phases = {phase: seconds / count * 1000 for phase, seconds in result["seconds"].items()}
    meanwhile = {phase: phases.pop(phase) for phase in _MEANWHILE}
    alone = parts.decode + parts.detect + faces * parts.face
    return {
        "**photos/s**": f"**{1000 / total:.1f}**",
        "faces/s": f"{faces * 1000 / total:.1f}",
        "ms a photo": f"{total:.0f}",
        **{f"of these: {phase.replace('_', ' and ')}": f"{spent:.1f}" for phase, spent in phases.items()},
        "of these: start of process and models, waiting, match": f"{total - sum(phases.values()):.1f}",
        "meanwhile by the first process: write": f"{meanwhile['write']:.1f}",
        "processor, ms a photo, PostgreSQL's left out": f"{said.processor / count * 1000:.0f}",
        "decoding once at full size by OpenCV, ms": f"{full:.0f}",
        f"decoding, detection and networks alone, ms ({faces:.1f} faces)": f"{alone:.0f}",
        "ratio to these parts": f"{total / alone:.2f}",
        "largest process, MB": f"{said.largest:.0f}",
        "loading the models, ms": f"{parts.load:.0f}",
    }


def render(columns: dict[int, dict[str, str]]) -> str:
    """A table in Markdown: a column for each number of photos."""
    first = next(iter(columns.values()))
    lines = ["| | " + " | ".join(f"{count} photos" for count in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(found[name] for found in columns.values()) + " |" for name in first]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Make the photos, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, nargs="+", default=[60])
    parser.add_argument("--out", type=Path, help="the document whose table is replaced")
    args = parser.parse_args()
    table = render({count: measure(count) for count in args.photos})
    sys.stdout.write(table)
    if args.out:
        write_table(args.out, table, marks=_MARKS)


if __name__ == "__main__":
    main()
