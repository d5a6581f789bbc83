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
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from eval.bench import write_table
from eval.delays import Delays, measure_delays, rate_of
from eval.stage import Stage
from eval.stage.photos import Shot, make_photos, write_photos_csv
from facealbum.domain.ids import family_id
from facealbum.domain.messages import MatchFamily
from facealbum.storage.outbox import save_messages
from facealbum.storage.snapshots import count_waiting, load_ways

_MONTH = datetime(2026, 10, 1, tzinfo=UTC)
_PATIENCE_SECONDS = 900.0
_PROCESSES = "2"
_WARM_UP = 32  # photos, with which a worker loads its models
MARKS = ("<!-- queues: start -->", "<!-- queues: end -->")


@dataclass(frozen=True, slots=True)
class Rates:
    """Photos a second in each round, by the way they went."""

    queue: list[float]
    command: list[float]

    @property
    def overhead(self) -> list[float]:
        """How much longer a photo takes by the queue, by round."""
        return [command / queue - 1 for queue, command in zip(self.queue, self.command, strict=True)]


def measure_rates(stage: Stage, shots: Sequence[Shot], rounds: int) -> Rates:
    """Both ways in turn, with everything running that the other way needs."""
    _through_queue(stage, shots[:_WARM_UP], "warm-up")
    rates = Rates([], [])
    for number in range(rounds):
        queue, command = f"queue-{number}", f"command-{number}"
        _through_queue(stage, shots, queue)
        rates.queue.append(_rate(stage, queue))
        _import(stage, shots, command, broker=False)
        stage.run("analyze", "--family", command, broker=False)
        rates.command.append(_rate(stage, command))
    return rates


def _through_queue(stage: Stage, shots: Sequence[Shot], family: str) -> None:
    """All are in the outbox before the relay begins to send."""
    _import(stage, shots, family, broker=True)
    relay = stage.start("relay", "relay")
    stage.wait_until_calm(seconds=_PATIENCE_SECONDS)
    del stage.programs["relay"]
    relay.kill()


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


def render(rates: Rates, sent: float, delays: Sequence[Delays], *, photos: int, messages: int) -> str:
    """As tables."""
    low, middle, high = np.quantile(rates.overhead, (0, 0.5, 1))
    lines = [
        f"{photos} photos of 480 pixels' height, {len(rates.queue)} rounds in turns, {_PROCESSES} processes each:",
        "",
        "| | photos/s, by round |",
        "|---|---|",
        f"| two processes of `facealbum analyze` | {_list(rates.command)} |",
        f"| two processes of a worker, through the queue | {_list(rates.queue)} |",
        f"| a photo takes longer by the queue by | {middle:+.1%} ({low:+.1%} to {high:+.1%}) |",
        f"| messages/s of one relay, {messages} messages that nobody takes | {sent:.0f} |",
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
        rates = measure_rates(stage, shots, given.rounds)
        delays = measure_delays(stage, seconds=given.seconds, seed=21)
    table = render(rates, sent, delays, photos=given.photos, messages=given.messages)
    sys.stdout.write(table)
    if given.out:
        write_table(given.out, table, marks=MARKS)


if __name__ == "__main__":
    main()
