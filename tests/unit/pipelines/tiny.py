"""A training so small that a test sees all of it: the mean of the numbers in a folder, by group."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np

from facealbum.pipelines.dataset import Item, Manifest, Split, check_split, split_groups
from facealbum.pipelines.engine import Pipeline, Source
from facealbum.pipelines.step import Values, Work
from facealbum.pipelines.training import training_steps
from facealbum.storage.outputs import Output, digest_of, file_digests


@dataclass(frozen=True)
class Tiny:
    """Learns a mean; `ran` has the name of each step that ran."""

    name: str = "tiny"
    kind: str = "calibrator"
    version: int = 1
    defaults: Values = field(default_factory=lambda: {"scale": 1.0, "split_held_out": 0.4})
    ran: list[str] = field(default_factory=list)

    def collect(self, work: Work) -> None:
        self.ran.append("collect")
        assert work.source is not None
        text = Path(work.source.removeprefix("bench:"), "numbers.csv").read_text()
        rows = [line.split(",") for line in text.splitlines()]
        np.savez(work.out / "data.npz", values=np.array([float(value) for _, _, value in rows]))
        items = [Item(name, sha256(value.encode()).hexdigest(), group) for name, group, value in rows]
        Manifest("every number", tuple(items)).write(work.out)

    def split(self, work: Work) -> None:
        self.ran.append("split")
        manifest = Manifest.read(work.inputs["collect"])
        split = split_groups(manifest, held_out=float(work.parameters["split_held_out"]), seed=work.seed)
        check_split(manifest, split)
        split.write(work.out)

    def train(self, work: Work) -> None:
        self.ran.append("train")
        checkpoint = work.scratch / "learnt"
        if not checkpoint.exists():
            mean = float(_values(work, held_out=False).mean())
            (work.scratch / "unfinished").write_text(repr(mean))
            (work.scratch / "unfinished").rename(checkpoint)
            work.log("half of the way")
        mean = float(checkpoint.read_text()) * float(work.parameters["scale"])
        (work.out / "model.bin").write_bytes(np.float64(mean).tobytes())
        card = {"name": "tiny", "licence": "Apache-2.0", "research_only": False, "maps": "nothing to a mean"}
        (work.out / "model.json").write_text(json.dumps(card))

    def evaluate(self, work: Work) -> None:
        self.ran.append("evaluate")
        mean = np.frombuffer((work.inputs["train"] / "model.bin").read_bytes())[0]
        values = _values(work, held_out=True)
        metric = {**_figure(abs(values - mean).mean()), "n": len(values), "baseline": _figure(abs(values).mean())}
        metric |= {"difference": _figure(metric["value"] - abs(values).mean()), "better": True}
        (work.out / "metrics.json").write_text(json.dumps({"error": metric}))
        (work.out / "slices.json").write_text(json.dumps({"all": {"error": metric}}))

    def plot(self, work: Work) -> None:
        self.ran.append("plot")
        (work.out / "plots").mkdir()
        (work.out / "plots" / "error.png").write_bytes(
            b"\x89PNG of " + (work.inputs["evaluate"] / "metrics.json").read_bytes()
        )


TRAINING = Tiny()


def write_numbers(folder: Path, count: int = 12) -> str:
    """Numbers in four groups; gives the source that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "numbers.csv").write_text("".join(f"{n},group-{n % 4},{n / 8}\n" for n in range(count)))
    return f"bench:{folder}"


def tiny_pipeline(training: Tiny, source: str, *, seed: int = 0, **parameters: float) -> Pipeline:
    digest = digest_of(file_digests(Path(source.removeprefix("bench:"))))
    steps = training_steps(training, asks=False)
    return Pipeline(training.name, steps, {**training.defaults, **parameters}, seed, Source(source, digest))


class Heard:
    """A report that keeps what it was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.made: list[str] = []
        self.cached: list[str] = []

    def log(self, line: str) -> None:
        self.lines.append(line)

    def done(self, output: Output, *, cached: bool) -> None:
        (self.cached if cached else self.made).append(output.step)


def _values(work: Work, *, held_out: bool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    split, manifest = Split.read(work.inputs["split"]), Manifest.read(work.inputs["collect"])
    chosen = [(split.side(item.group) < 0) == held_out for item in manifest.items]
    with np.load(work.inputs["collect"] / "data.npz") as data:
        values: np.ndarray[tuple[int], np.dtype[np.float64]] = data["values"][chosen]
    return values


def _figure(value: float) -> dict[str, float]:
    return {"value": float(value), "low": float(value), "high": float(value)}
