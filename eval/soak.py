"""Whether a worker's memory stays flat: one process analyses photo after photo, and its size is fitted by a line.

    python -m eval.soak [--photos 10000]

The photos are made of the demo's portraits, in several formats and sizes that alternate, since memory that is given
back in pieces of another size is what grows.  The first tenth warms up and is not counted.
"""

import argparse
import resource
import sys
from collections.abc import Iterator
from io import BytesIO
from itertools import cycle, islice, product
from pathlib import Path
from time import perf_counter

import numpy as np
import pillow_heif
from PIL import Image
from scipy import stats

from facealbum.demo.portraits import load_pixels, load_portraits
from models.analyzer import Analyzer

_WIDTHS = (400, 900, 1600, 3200)
_FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
_PAGE = resource.getpagesize()


def make_photos() -> Iterator[bytes]:
    """One file of each width and format, each with one or two faces."""
    keys = [portrait.key for portrait in load_portraits()]
    for number, (width, form) in enumerate(product(_WIDTHS, _FORMATS)):
        picture = Image.new("RGB", (width, width * 3 // 4), (90, 120, 90))
        for place in range(1 + number % 2):
            portrait = Image.fromarray(load_pixels(keys[(number + place) % len(keys)]))
            portrait.thumbnail((width // 2, width // 2))
            picture.paste(portrait, (place * width // 2, width // 16))
        out = BytesIO()
        picture.save(out, form)
        yield out.getvalue()


def resident_mb() -> float:
    """Megabytes that this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 1e6


def measure(count: int) -> tuple[list[float], float]:
    """Resident megabytes after each photo, and seconds."""
    pillow_heif.register_heif_opener()
    photos = list(make_photos())
    analyzer = Analyzer.load()
    start, sizes = perf_counter(), []
    for photo in islice(cycle(photos), count):
        analyzer.analyze(photo)
        sizes.append(resident_mb())
    return sizes, perf_counter() - start


def render(sizes: list[float], seconds: float) -> str:
    """The figures as text."""
    warm = len(sizes) // 10
    fit = stats.linregress(np.arange(warm, len(sizes)) / 1000, sizes[warm:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return (
        f"{len(sizes)} photos in {seconds:.0f} s, {len(sizes) / seconds:.1f} photos/s\n"
        f"after the first {sizes[0]:.0f} MB, after {warm} {sizes[warm]:.0f} MB, at the end {sizes[-1]:.0f} MB, "
        f"peak {peak:.0f} MB\n"
        f"slope {fit.slope:+.3f} MB per 1,000 photos (standard error {fit.stderr:.3f})\n"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=10_000)
    sys.stdout.write(render(*measure(parser.parse_args().photos)))


if __name__ == "__main__":
    main()
