"""How well a face is found again within its family, and whether a chance that is told is the chance that there is.

    python -m eval.face_search ALBUMS --cache FOLDER [--fit fiw growth] [--held stream]

ALBUMS and the cache are as in eval.bench and eval.clustering.  Every face with a known member is searched for among the
faces of other photos of its family, and compared with each member there.  Prints the logistic fitted to the albums
`--fit`, and how the product's chances do on the others.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from eval.albums import Album, AlbumFace, load_album
from eval.truth import Members, load_members
from facealbum.clustering.likeness import NEAREST, chance_of_face, chance_of_person

_BINS = 10


@dataclass(slots=True)
class Searched:
    """Similarities with whether both sides are one, of faces with members and with faces, and how often the best is."""

    persons: list[tuple[float, bool]] = field(default_factory=list)
    faces: list[tuple[float, bool]] = field(default_factory=list)
    best: list[bool] = field(default_factory=list)


def search_album(album: Album) -> Searched:
    """Every search of the album."""
    members, found = load_members(album), Searched()
    families: dict[str, list[AlbumFace]] = defaultdict(list)
    for face in album.faces:
        if face.observation.face_id in members:
            families[face.family].append(face)
    for faces in families.values():
        _search_family(faces, members, found)
    return found


def _search_family(faces: Sequence[AlbumFace], members: Members, found: Searched) -> None:
    vectors = np.array([face.observation.embedding for face in faces])
    photos = np.array([face.photo for face in faces])
    who = np.array([members[face.observation.face_id] for face in faces])
    similar = vectors @ vectors.T
    for row, member in enumerate(who):
        others = photos != photos[row]
        found.faces += zip(similar[row, others].tolist(), (who[others] == member).tolist(), strict=True)
        scores = {
            other: float(np.sort(similar[row, others & (who == other)])[-NEAREST:].mean())
            for other in sorted(set(who[others]))
        }
        found.persons += [(score, other == member) for other, score in scores.items()]
        if member in scores:
            found.best.append(max(scores, key=lambda other: scores[other]) == member)


def fit_logistic(pairs: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """The value at similarity 0 and the slope of the log-odds, by maximum likelihood."""
    similarity, same = (np.array(column, np.float64) for column in zip(*pairs, strict=True))

    def loss(weights: NDArray[np.float64]) -> float:
        odds = weights[0] + weights[1] * similarity
        return float(np.mean(np.logaddexp(0, odds) - same * odds))

    found = minimize(loss, np.zeros(2), method="BFGS").x
    return float(found[0]), float(found[1])


def judge(pairs: Sequence[tuple[float, bool]], chance: Callable[[float], float]) -> tuple[float, float, float]:
    """Brier score, that of the base rate, and the mean error of a chance by tenths."""
    told = np.array([chance(similarity) for similarity, _ in pairs])
    same = np.array([one for _, one in pairs], np.float64)
    tenth = np.minimum((told * _BINS).astype(int), _BINS - 1)
    errors = [abs((told - same)[tenth == number].sum()) for number in range(_BINS)]
    return float(np.mean((told - same) ** 2)), float(np.var(same)), float(sum(errors) / len(pairs))


def report(fit: Sequence[Searched], held: Sequence[Searched]) -> Iterator[str]:
    """Lines of Markdown."""
    for title, chance, which in (
        ("the face is the person", chance_of_person, "persons"),
        ("two faces are one person", chance_of_face, "faces"),
    ):
        fitted = fit_logistic([pair for one in fit for pair in getattr(one, which)])
        pairs = [pair for one in held for pair in getattr(one, which)]
        score, base, error = judge(pairs, chance)
        yield f"| {title} | {len(pairs):,} | {score:.4f} | {base:.3f} | {error:.3f} |"
        yield f"fitted anew: {fitted[0]:.2f} + {fitted[1]:.1f} x similarity"
    for one in (*fit, *held):
        yield f"nearest person right: {np.mean(one.best):.3f} of {len(one.best):,}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albums", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--fit", nargs="+", default=["fiw", "growth"])
    parser.add_argument("--held", nargs="+", default=["stream"])
    args = parser.parse_args()
    searched = [
        [search_album(load_album(args.albums.absolute() / "visible" / name, args.cache)) for name in names]
        for names in (args.fit, args.held)
    ]
    print("\n".join(report(*searched)))  # noqa: T201 - this is its output


if __name__ == "__main__":
    main()
