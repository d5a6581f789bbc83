"""Arms of clustering on albums with known truth, all on the same faces: a row each, from the albums' own scorer.

    python -m eval.arms ALBUMS --cache FOLDER [--album fiw ...] [--space fused-512] [--similarity 0.3 0.33 ...]

ALBUMS is as in eval.bench.  Photos are analysed once into the cache, which holds embeddings and stays private.
"""

import argparse
import csv
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from time import process_time

from eval.albums import AlbumFace, load_album
from eval.bench import MONTHLY, score_exports
from eval.months import Household, TrialArm, live_through
from facealbum.clustering import ClusteringParameters, breakage_rates
from facealbum.domain.ids import FaceId

SHOWN = {
    "B3 P": ("clustering", "bcubed_precision"),
    "B3 R": ("clustering", "bcubed_recall"),
    "B3 F": ("clustering", "bcubed_f"),
    "pair F": ("clustering", "pair_f"),
    "collisions": ("clustering", "same_photo_collisions"),
    "unassigned": ("clustering", "unassigned_or_missed"),
    "0-2 P": ("bcubed_precision", "0-2"),
    "0-2 R": ("bcubed_recall", "0-2"),
    "link P": ("child_link", "precision"),
    "link R": ("child_link", "recall"),
    "siblings": ("child_link", "sibling_confusion"),
    "churn": ("churn, all steps", "mates_changed"),
}


def score(albums: Path, name: str, arm: TrialArm, *, cache: Path, space: str | None) -> dict[str, float]:
    """Every measure of one arm on one album, by the names of SHOWN and `broken`, and the seconds of all runs."""
    album = load_album(albums / "visible" / name, cache, space=space)
    start, broken = process_time(), []
    with tempfile.TemporaryDirectory() as folder:
        exports: list[Path] = []
        for month, households, labels in live_through(album, arm):
            broken += labels
            if name in MONTHLY:
                exports.append(write_faces(Path(folder) / f"{month}.csv", households))
        exports = exports or [write_faces(Path(folder) / "all.csv", households)]
        seconds = process_time() - start
        scores = score_exports(albums, name, exports)
    found = {title: scores.get(part, {}).get(key, {}).get("value") for title, (part, key) in SHOWN.items()}
    found["broken"] = breakage_rates(broken).any.value
    return {title: value for title, value in found.items() if value is not None} | {"seconds": seconds}


def write_faces(path: Path, households: Mapping[str, Household]) -> Path:
    """All faces of the families as the albums' scorer reads them."""
    rows = [
        _row(name, household, key, one)
        for name, household in households.items()
        for key, one in household.faces.items()
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def _row(family: str, household: Household, key: FaceId, one: AlbumFace) -> dict[str, object]:
    """What the scorer reads of a face."""
    box, person = one.face.box, household.person_of.get(key, "")
    return {
        "family": family,
        "photo": one.photo,
        "x1": box.x1,
        "y1": box.y1,
        "x2": box.x2,
        "y2": box.y2,
        "age": one.face.age,
        "p_female": one.face.p_female,
        "cluster": person,
        "person": person,
        "child": household.child(key),
    }


def main() -> None:
    """Run every combination and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albums", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--album", nargs="+", default=["fiw", "growth", "stream"])
    parser.add_argument("--algorithm", nargs="+", default=["constrained"])
    parser.add_argument("--similarity", nargs="+", type=float, default=[ClusteringParameters().similarity])
    parser.add_argument("--quality", nargs="+", type=float, default=[ClusteringParameters().min_quality])
    parser.add_argument("--space")
    args = parser.parse_args()
    for name in args.album:
        for algorithm, similarity, quality in product(args.algorithm, args.similarity, args.quality):
            parameters = replace(
                ClusteringParameters(), similarity=similarity, poor_similarity=similarity, min_quality=quality
            )
            arm = TrialArm(algorithm, parameters)
            found = score(args.albums.absolute(), name, arm, cache=args.cache, space=args.space)
            shown = "  ".join(f"{title} {value:.3f}" for title, value in found.items())
            sys.stdout.write(f"{name:7} {algorithm} {similarity:.2f} q{quality:.2f}  {shown}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
