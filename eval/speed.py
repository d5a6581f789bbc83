"""How fast photos of a phone's size are analysed on one core, and where the time goes.

    python -m eval.speed [--photos 60]

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
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np

from facealbum.demo.portraits import load_pixels, load_portraits

WIDTH, HEIGHT = 4000, 3000
_PORTRAIT_HEIGHT = 1100


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
    contents = [np.frombuffer(path.read_bytes(), np.uint8) for path in paths]
    start = perf_counter()
    for content in contents:
        cv2.imdecode(content, flag)
    return (perf_counter() - start) / len(paths) * 1000


def facealbum(data: Path, *arguments: str) -> Any:  # noqa: ANN401 - a command's JSON
    """What a command says with --json."""
    environment = os.environ | {"FACEALBUM_DATA": str(data), "FACEALBUM_PROCESSES": "1"}
    command = [str(Path(sys.executable).with_name("facealbum")), *arguments, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)  # noqa: S603 - our own program
    return json.loads(done.stdout)


def main() -> None:
    """Make the photos, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=60)
    count = parser.parse_args().photos
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        paths = write_photos(photos, count)
        megabytes = sum(path.stat().st_size for path in paths) / 1e6 / count
        facealbum(Path(folder) / "data", "import", str(photos), "--family", "speed")
        full = decoding_ms(paths, cv2.IMREAD_COLOR)
        result = facealbum(Path(folder) / "data", "analyze")
    sys.stdout.write(render(result, count=count, megabytes=megabytes, full=full))


def render(result: Any, *, count: int, megabytes: float, full: float) -> str:  # noqa: ANN401 - a command's JSON
    """The figures as text; `full` is what decoding one photo at full size costs in milliseconds."""
    total = result["wall_seconds"] / count * 1000
    phases = {phase: seconds / count * 1000 for phase, seconds in result["seconds"].items()}
    phases["start-up"] = total - sum(phases.values())
    lines = [
        f"{count} 12-megapixel photos, {megabytes:.1f} MB and {result['faces'] / count:.2f} faces each, one process",
        f"{1000 / total:.1f} photos/s; {total:.0f} ms a photo, {total / full:.2f} x decoding it whole ({full:.0f} ms)",
        *(f"  {phase:11} {milliseconds:6.1f} ms" for phase, milliseconds in phases.items()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
