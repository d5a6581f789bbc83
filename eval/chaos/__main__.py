"""Kills and cuts everything while work is done, and compares what is left with a quiet run, bit for bit.

    python -m eval.chaos [--photos 2000] [--drawn 300] [--kills 30] [--seed 1] [--json REPORT]

First uploads and their analysis, then a monthly job over families whose faces are drawn; each once in peace, where
nothing dies but what reads the one deadly photo, and once not.  Ends with 1 if anything was lost, doubled, stuck, set
aside or different.  The disk is filled only where a small one can be mounted, which needs root.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from eval.chaos.faults import QUIET, Dose
from eval.chaos.month import run_month
from eval.chaos.storm import Outcome, Storm
from eval.chaos.uploads import make_upload, run_uploads
from eval.chaos.verdict import Verdict, compare, render
from eval.stage import Stage

# So many deaths in so few minutes meet the same message more often than in the years for which the default is meant.
SETTINGS = {"TASK_SECONDS": "8", "TASK_ATTEMPTS": "30", "RECONCILE_AFTER_SECONDS": "60", "PROCESSES": "2"}
_QUOTA_MB = 2000


def judge_uploads(folder: Path, storm: Storm, *, photos: int, families: int) -> Verdict:
    """Uploads in peace and in the storm."""
    upload = make_upload(folder / "files", photos=photos, families=families, seed=storm.seed)
    quiet, wild = _twice(folder, storm, lambda stage, weather: run_uploads(stage, upload, weather))
    return compare(quiet, wild, photos=len(upload.first) + len(upload.later))


def judge_month(folder: Path, storm: Storm, *, families: int) -> Verdict:
    """The monthly job in peace and in the storm."""
    quiet, wild = _twice(folder, storm, lambda stage, weather: run_month(stage, families, weather))
    return compare(quiet, wild, photos=sum(quiet.photos.values()))


def _twice(folder: Path, storm: Storm, play: Callable[[Stage, Storm], Outcome]) -> tuple[Outcome, Outcome]:
    outcomes = []
    for name, weather in (("quiet", replace(storm, dose=QUIET)), ("wild", storm)):
        quota = _QUOTA_MB if weather.dose.full_disk else None
        with Stage(folder / name, settings=SETTINGS, quota_mb=quota) as stage:
            outcomes.append(play(stage, weather))
    return outcomes[0], outcomes[1]


def main() -> None:
    """Run, print, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--families", type=int, default=8)
    parser.add_argument("--drawn", type=int, default=300, help="families of the monthly job")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, help="where the stages are built; one that fails is kept, with its logs")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the stage is cleared away
    folder = given.folder or Path(tempfile.mkdtemp(prefix="facealbum-chaos-"))
    storm = Storm(Dose(given.kills, given.restarts, full_disk=os.geteuid() == 0), given.seed)
    verdicts = {}
    if given.photos:
        verdicts["uploads"] = judge_uploads(folder / "uploads", storm, photos=given.photos, families=given.families)
        sys.stdout.write(f"Uploads\n\n{render(verdicts['uploads'])}\n")
    if given.drawn:
        kills = replace(storm, dose=replace(storm.dose, outage=False, full_disk=False))
        verdicts["month"] = judge_month(folder / "month", kills, families=given.drawn)
        sys.stdout.write(f"Monthly job\n\n{render(verdicts['month'])}\n")
    if given.json:
        report = {name: asdict(verdict) for name, verdict in verdicts.items()}
        given.json.write_text(json.dumps(report, indent=2), encoding="utf-8")
    sys.exit(0 if all(verdict.fine for verdict in verdicts.values()) else 1)


if __name__ == "__main__":
    main()
