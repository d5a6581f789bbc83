"""How often the suggested split of a person is right, on albums with known truth.

    python -m eval.split_study ALBUMS --cache FOLDER [--album fiw growth stream]

Of each family up to six pairs of people are put together as if they were one person, without any user's word; a
suggestion is right if each side is one of the two, to the last face.  Beside it stands how similar the sides are of
people who are one, since nobody knows beforehand which persons are mixed.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, islice, pairwise
from pathlib import Path

from eval.albums import Album, load_album
from eval.truth import load_members
from facealbum.clustering import ClusteringParameters, Constraints, Observation, Rate, halve

_FEWEST = 3  # faces of each of the two
_PAIRS = 6
_EDGES = (-1.0, 0.1, 0.2, 0.26, 0.35, 1.0)


def people_of(album: Album) -> dict[str, dict[str, list[Observation]]]:
    """By family and member the faces of everybody with enough of them."""
    members, found = load_members(album), defaultdict[str, dict[str, list[Observation]]](lambda: defaultdict(list))
    for one in album.faces:
        if one.observation.face_id in members:
            found[one.family][members[one.observation.face_id]].append(one.observation)
    return {
        family: {who: faces for who, faces in people.items() if len(faces) >= _FEWEST}
        for family, people in found.items()
    }


def split_mixed(album: Album, parameters: ClusteringParameters) -> Iterator[tuple[float, bool]]:
    """Of each two people put together: how similar the sides are, and whether they are the two."""
    for people in people_of(album).values():
        for one, other in islice(combinations(sorted(people), 2), _PAIRS):
            found = halve([*people[one], *people[other]], parameters, constraints=Constraints())
            truth = {frozenset(face.face_id for face in people[who]) for who in (one, other)}
            if found:
                yield found.similarity, {frozenset(found.stays), frozenset(found.leaves)} == truth


def split_pure(album: Album, parameters: ClusteringParameters) -> Iterator[float]:
    """How similar the sides are of each of the people."""
    for people in people_of(album).values():
        for faces in people.values():
            if found := halve(faces, parameters, constraints=Constraints()):
                yield found.similarity


def tell(mixed: Sequence[tuple[float, bool]], pure: Sequence[float]) -> Iterator[str]:
    """A table by how similar the sides are."""
    yield "| similarity of the sides | two people | split right | one person |"
    yield "|---|---|---|---|"
    for low, high in pairwise(_EDGES):
        right = [good for near, good in mixed if low <= near < high]
        yield f"| {low:g} to {high:g} | {len(right)} | {_share(right)} | {sum(low <= near < high for near in pure)} |"
    yield f"| all | {len(mixed)} | {_share([good for _, good in mixed])} | {len(pure)} |"


def _share(right: Sequence[bool]) -> str:
    low, high = Rate(sum(right), len(right)).interval
    return f"{sum(right) / len(right):.3f} ({low:.3f} to {high:.3f})" if right else ""


def main() -> None:
    """Print a table over all albums."""
    parser = argparse.ArgumentParser(description="Measure the suggested splits on albums with known truth.")
    parser.add_argument("albums", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--album", nargs="+", default=["fiw", "growth", "stream"])
    asked = parser.parse_args()
    parameters = ClusteringParameters()
    albums = [load_album(asked.albums / "visible" / name, asked.cache) for name in asked.album]
    mixed = [one for album in albums for one in split_mixed(album, parameters)]
    pure = [one for album in albums for one in split_pure(album, parameters)]
    sys.stdout.write("\n".join(tell(mixed, pure)) + "\n")


if __name__ == "__main__":
    main()
