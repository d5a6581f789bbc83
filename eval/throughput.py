"""What the queues cost: photos a second through workers beside `facealbum analyze`, messages a second, and waiting.

    python -m eval.throughput [--photos 400] [--rounds 5] [--seconds 120] [--out docs/benchmarks.md]

The same photos go through two processes of a worker and through two processes of the command, in turn, each time as
the photos of a new family.  Speed is counted between the tenth and the ninetieth percent, so that no start is in it.
Everything runs on this machine: servers, workers, and what sends.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from eval.bench import write_table
from eval.delays import Delays, measure_delays, rate_of
from eval.stage import Program, Stage
from eval.stage.photos import Shot, make_photos, write_photos_csv
from facealbum.domain.ids import family_id
from facealbum.domain.messages import MatchFamily
from facealbum.storage.outbox import save_messages
from facealbum.storage.snapshots import count_waiting, load_ways

_MONTH = datetime(2026, 10, 1, tzinfo=UTC)
_PATIENCE_SECONDS = 900.0
_PROCESSES = "2"
_NOTHING = 0.1  # ms of CPU a photo, below which a program is left out
_WARM_UP = 32  # photos, with which a worker loads its models
MARKS = ("<!-- queues: start -->", "<!-- queues: end -->")


@dataclass(frozen=True, slots=True)
class Way:
    """Photos a second in each round, and milliseconds of CPU a photo by program in each."""

    rates: list[float] = field(default_factory=list)
    costs: list[dict[str, float]] = field(default_factory=list)

    def cost(self, program: str) -> float:
        """The median over the rounds."""
        return float(np.median([one.get(program, 0.0) for one in self.costs]))


def measure_ways(stage: Stage, shots: Sequence[Shot], rounds: int) -> tuple[Way, Way]:
    """Through the queue and by the command in turn, with everything running that the other way needs."""
    relay = stage.start("relay", "relay")
    few = shots[:_WARM_UP]
    _through_queue(stage, few, "warm-up", relay=relay)
    start = _by_command(stage, few, "command-start")  # what it costs to begin
    queue, command = Way(), Way()
    for number in range(rounds):
        used = _through_queue(stage, shots, f"queue-{number}", relay=relay)
        queue.costs.append(_each(used, len(shots)))
        queue.rates.append(_rate(stage, f"queue-{number}"))
        used = _by_command(stage, shots, f"command-{number}")
        command.costs.append(_each({name: used[name] - start[name] for name in used}, len(shots) - len(few)))
        command.rates.append(_rate(stage, f"command-{number}"))
    del stage.programs["relay"]
    relay.resume()
    relay.kill()
    return queue, command


def _through_queue(stage: Stage, shots: Sequence[Shot], family: str, *, relay: Program) -> dict[str, float]:
    """All are in the outbox before the relay goes on; gives what each program used of the processor from then on."""
    relay.pause()
    _import(stage, shots, family, broker=True)
    before = stage.cpu_seconds()
    relay.resume()
    stage.wait_until_calm(seconds=_PATIENCE_SECONDS)
    used = _since(before, stage)
    relay.pause()
    return used


def _by_command(stage: Stage, shots: Sequence[Shot], family: str) -> dict[str, float]:
    _import(stage, shots, family, broker=False)
    before = stage.cpu_seconds()
    stage.run("analyze", "--family", family, broker=False)
    return _since(before, stage)


def _since(before: dict[str, float], stage: Stage) -> dict[str, float]:
    return {name: used - before.get(name, 0.0) for name, used in stage.cpu_seconds().items()}


def _each(seconds: dict[str, float], photos: int) -> dict[str, float]:
    return {name: 1000 * used / photos for name, used in seconds.items()}


def measure_relay(stage: Stage, count: int) -> float:
    """Messages a second that one relay gives to the broker, while nobody takes them."""
    messages = [MatchFamily(family_id("nobody"))] * count
    stage.ask(lambda transaction: save_messages(transaction, messages, now=_MONTH))
    moments: list[tuple[float, int]] = []

    def all_sent() -> bool:
        waiting = stage.ask(count_waiting)
        left = count if waiting is None else waiting.messages
        if left < count:
            moments.append((time.monotonic(), left))
        return left == 0

    relay = stage.start("relay", "relay")
    stage.wait(all_sent, seconds=_PATIENCE_SECONDS)
    del stage.programs["relay"]
    relay.kill()
    (start, first), (end, _) = moments[0], moments[-1]
    return first / (end - start)


def _import(stage: Stage, shots: Sequence[Shot], family: str, *, broker: bool) -> None:
    manifest = write_photos_csv(stage.folder / f"{family}.csv", [replace(shot, family=family) for shot in shots])
    stage.run("import", str(manifest), broker=broker)


def _rate(stage: Stage, family: str) -> float:
    ways = stage.ask(lambda transaction: load_ways(transaction, family_id(family))) or []
    return rate_of(sorted({one.photo_id: one.analysed_at for one in ways}.values()))


def render(queue: Way, command: Way, sent: float, delays: Sequence[Delays], *, photos: int, messages: int) -> str:
    """As tables."""
    longer = [ours / theirs - 1 for ours, theirs in zip(command.rates, queue.rates, strict=True)]
    low, middle, high = np.quantile(longer, (0, 0.5, 1))
    programs = [name for name in queue.costs[0] if max(queue.cost(name), command.cost(name)) > _NOTHING]
    sums = [sum(map(way.cost, programs)) for way in (command, queue)]
    lines = [
        f"{photos} photos of 480 pixels' height, {len(queue.rates)} rounds in turns, {_PROCESSES} processes each:",
        "",
        "| | `facealbum analyze` | a worker, through the queue |",
        "|---|---|---|",
        f"| photos/s, by round | {_list(command.rates)} | {_list(queue.rates)} |",
        f"| a photo takes longer by | | {middle:+.1%} ({low:+.1%} to {high:+.1%}) |",
        *(f"| CPU of {name}, ms a photo | {command.cost(name):.1f} | {queue.cost(name):.1f} |" for name in programs),
        f"| CPU together | {sums[0]:.1f} | {sums[1]:.1f} ({sums[1] / sums[0] - 1:+.1%}) |",
        "",
        f"One relay sends {sent:.0f} messages/s ({messages} messages that nobody takes).",
        "",
        "Photos sent over HTTP at random moments (Poisson), seconds from the start of the request:",
        "",
        "| load | photos/s | photos | answered: p50, p95, p99 | with a person: p50, p95, p99 | of faces |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.load:.0%} | {one.rate:.1f} | {one.photos} | {_quantiles(one.answered)} | {_quantiles(one.shown)} |"
        f" {len(one.shown)} |"
        for one in delays
    ]
    return "\n".join(lines) + "\n"


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)


def _quantiles(seconds: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in np.quantile(seconds, (0.5, 0.95, 0.99)))


def main() -> None:
    """Run, print, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=120, help="of each load")
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--out", type=Path, help="write the tables between the marks of this file")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="facealbum-throughput-") as folder,
        Stage(Path(folder) / "stage", settings={"PROCESSES": _PROCESSES}) as stage,
    ):
        sent = measure_relay(stage, given.messages)
        stage.start("rest", "worker", "--queues", "matching,maintenance", "--processes", "1")
        stage.start("analysis", "worker", "--queues", "analysis", "--processes", _PROCESSES)
        shots = make_photos(stage.folder / "photos", ["all"], given.photos, month=_MONTH, seed=20)
        queue, command = measure_ways(stage, shots, given.rounds)
        delays = measure_delays(stage, seconds=given.seconds, seed=21)
    table = render(queue, command, sent, delays, photos=given.photos, messages=given.messages)
    sys.stdout.write(table)
    if given.out:
        write_table(given.out, table, marks=MARKS)


if __name__ == "__main__":
    main()
