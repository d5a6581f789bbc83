"""Several people correct one family at once over HTTP: what they say, and what became of it.

    python -m eval.correction_storm http://127.0.0.1:8000 FAMILY_ID --token ANN --token BEN [--actions 500]

It changes that family's album at random, so the family must be one of a test.  Each reviewer looks at faces and
persons, and then says something of every kind, often about what somebody else has just changed, or takes something
back.  What is said follows from the seed and from what is there; in which order it arrives does not.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from statistics import median
from time import perf_counter
from typing import Any, TypeAlias, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np

from facealbum.corrections.decision import CHOICES, NEEDS
from facealbum.domain.decisions import Kind

T = TypeVar("T")
Send: TypeAlias = Callable[[str, str, Any], tuple[int, Any]]
"""Sends method, path below the family and a body as JSON; gives status and body of the answer."""

CONFLICTS = {"changed_meanwhile", "contradiction", "undo"}
"""409: what stands in the way is told."""
REFUSALS = {"invalid_value", "unknown_person"}
"""422 and 404: said of what was nobody's, split, merged away or no face by then, without telling what was seen."""

_OF_ITS_PERSON = {Kind.SPLIT, Kind.REJECT, Kind.MOVE}


@dataclass(frozen=True, slots=True)
class Said:
    """One request and its answer; code: of a refusal; number: of the decision that was made, or taken back."""

    reviewer: int
    status: int
    code: str | None
    number: int | None
    seconds: float


@dataclass(slots=True)
class Reviewer:
    """Somebody who decides by chance; mine: the decisions that may be taken back."""

    number: int
    send: Send
    children: Sequence[str]
    draw: np.random.Generator
    said: list[Said] = field(default_factory=list)
    mine: list[int] = field(default_factory=list)

    def review(self, faces: Sequence[str], actions: int) -> None:
        """So many decisions about these faces, every fifth of which takes one back."""
        kinds = [*Kind] * (actions // len(Kind) + 1)
        for place, drawn in enumerate(self.draw.permutation(len(kinds))[:actions]):
            if place % 5 == 4 and self.mine:  # noqa: PLR2004 - every fifth
                number = self.mine.pop(int(self.draw.integers(len(self.mine))))
                self._note("DELETE", f"/decisions/{number}", None)
            else:
                self._note("POST", "/decisions", self._words(kinds[int(drawn)], faces))

    def _note(self, method: str, path: str, body: Any) -> None:  # noqa: ANN401 - JSON
        began = perf_counter()
        status, answer = self.send(method, path, body)
        seconds, made = perf_counter() - began, status in {HTTPStatus.OK, HTTPStatus.CREATED}
        self.said.append(Said(self.number, status, answer.get("code"), answer.get("number"), seconds))
        if made and method == "POST":
            self.mine.append(answer["number"])

    def _words(self, kind: Kind, faces: Sequence[str]) -> dict[str, Any]:
        """Something to say of what is there now; two of three times with what was seen."""
        persons = {one["person_id"]: one for one in self._get("/persons?limit=200")["items"]}
        some = [str(one) for one in self.draw.choice(faces, 2, replace=False)]
        whose = {one: self._get(f"/faces/{one}")["person_id"] for one in some}
        person, other = (str(one) for one in self.draw.choice(sorted(persons), 2, replace=False))
        if kind in _OF_ITS_PERSON and whose[some[0]] not in {None, other}:
            person = whose[some[0]]
        values: dict[str, Any] = {
            "faces": some if kind in {Kind.SAME, Kind.DIFFERENT} else some[:1],
            "person": person,
            "other": other,
            "child": self._one_of(self.children),
            "name": f"Name {some[0][:4]}",
            "age": float(self.draw.integers(0, 80)),
            "gender": self._one_of(("female", "male")),
        }
        choices: tuple[frozenset[str], ...] = CHOICES[kind] if kind in CHOICES else (NEEDS[kind],)
        about = {part: values[part] for part in sorted(self._one_of(choices))}
        if self.draw.integers(3):
            named = [persons[who] for who in (person, other) if who in about.values() and who in persons]
            shown = {who["person_id"]: {"name": who["name"], "child": who["child_id"]} for who in named}
            about["seen"] = {"faces": {face: whose[face] for face in about.get("faces", ())}, "persons": shown}
        return {"kind": kind.value, **about}

    def _one_of(self, choices: Sequence[T]) -> T:
        return choices[int(self.draw.integers(len(choices)))]

    def _get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        return self.send("GET", path, None)[1]


def storm(
    sends: Sequence[Send], faces: Sequence[str], children: Sequence[str], *, actions: int, seed: int
) -> list[Said]:
    """Have a reviewer for each of `sends` do so many things, all at once; tells what was said and answered."""
    reviewers = [
        Reviewer(number, send, children, np.random.default_rng([seed, number])) for number, send in enumerate(sends)
    ]
    with ThreadPoolExecutor(len(reviewers)) as threads:
        for done in [threads.submit(one.review, faces, actions) for one in reviewers]:
            done.result()
    return [one for reviewer in reviewers for one in reviewer.said]


def summarize(said: Sequence[Said]) -> Mapping[str, float]:
    """How many requests were done, and refused by code; and how long the median and the longest took."""
    counts = Counter(one.code or "done" for one in said)
    seconds = [one.seconds for one in said]
    return {**counts, "median_seconds": round(median(seconds), 3), "longest_seconds": round(max(seconds), 3)}


def sender(url: str, family: str, token: str) -> Send:
    """Sends to a server."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def send(method: str, path: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401 - JSON
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{url}/v1/families/{family}{path}", data, headers, method=method)  # noqa: S310 - a test's
        try:
            with urlopen(request) as answer:  # noqa: S310 - as above
                return answer.status, json.load(answer)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)

    return send


def main() -> None:
    """Tell what became of it; fails if anything was answered that is no conflict and no refusal."""
    parser = argparse.ArgumentParser(description="Have several reviewers correct a family of a test at once.")
    parser.add_argument("url")
    parser.add_argument("family")
    parser.add_argument("--token", action="append", required=True, help="of a reviewer; one for each")
    parser.add_argument("--actions", type=int, default=500, help="of each reviewer")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sends = [sender(asked.url, asked.family, token) for token in asked.token]
    people = sends[0]("GET", "/persons?limit=200", None)[1]["items"]
    pages = [sends[0]("GET", f"/persons/{one['person_id']}/faces?limit=200", None)[1]["items"] for one in people]
    children = [one["child_id"] for one in sends[0]("GET", "/children", None)[1]["items"]]
    faces = sorted(face["face_id"] for page in pages for face in page)
    said = storm(sends, faces, children, actions=asked.actions, seed=asked.seed)
    sys.stdout.write(json.dumps(summarize(said), indent=1) + "\n")
    sys.exit(any(one.code not in {None, *CONFLICTS, *REFUSALS} for one in said))


if __name__ == "__main__":
    main()
