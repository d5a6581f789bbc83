"""What a wild run did to the work, beside a quiet one of the same files."""

from dataclasses import dataclass

from eval.chaos.storm import Outcome

_SHOWN = 300  # characters of a row
_LISTED = 10  # rows of a table


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that must be zero, what was done to the wild run, and how long both took.

    crashed: photos that were set aside because their process died.  differing: by table, rows of one run alone.
    """

    photos: int
    lost: int
    doubled_faces: int
    stuck: int
    parked: list[str]
    crashed: int
    differing: dict[str, list[str]]
    rows: dict[str, int]
    faults: list[str]
    messages_twice: int
    killed_by_photo: int
    quiet_seconds: float
    wild_seconds: float

    @property
    def fine(self) -> bool:
        """Whether nothing was lost, doubled, stuck, set aside or different."""
        return not (self.lost or self.doubled_faces or self.stuck or self.parked or self.differing)


def compare(quiet: Outcome, wild: Outcome, *, photos: int) -> Verdict:
    """The verdict over the wild run, in which so many photos were uploaded."""
    return Verdict(
        photos=photos,
        lost=photos - sum(wild.photos.values()) + wild.photos.get("pending", 0),
        doubled_faces=wild.doubled_faces,
        stuck=wild.waiting.photos + wild.waiting.matches + wild.waiting.messages,
        parked=wild.parked,
        crashed=sum("analysis_crashed" in row for row in wild.rows["photo_problems"]),
        differing=differing(quiet.rows, wild.rows),
        rows={table: len(rows) for table, rows in wild.rows.items()},
        faults=wild.faults,
        messages_twice=wild.messages_twice,
        killed_by_photo=wild.killed_by_photo,
        quiet_seconds=quiet.seconds,
        wild_seconds=wild.seconds,
    )


def differing(quiet: dict[str, list[str]], wild: dict[str, list[str]]) -> dict[str, list[str]]:
    """By table, the rows that only one of them has, those of the quiet run marked by -, the others by +."""
    return {table: _difference(rows, wild[table]) for table, rows in quiet.items() if rows != wild[table]}


def _difference(quiet: list[str], wild: list[str]) -> list[str]:
    missing, new = sorted(set(quiet) - set(wild)), sorted(set(wild) - set(quiet))
    told = [f"- {row[:_SHOWN]}" for row in missing] + [f"+ {row[:_SHOWN]}" for row in new]
    return told or [f"{len(quiet)} rows against {len(wild)}"]


def render(verdict: Verdict) -> str:
    """As text."""
    rows = [
        ("photos", verdict.photos),
        ("photos lost", verdict.lost),
        ("faces doubled", verdict.doubled_faces),
        ("photos or messages stuck", verdict.stuck),
        ("messages parked", len(verdict.parked)),
        ("photos set aside as deadly", verdict.crashed),
        ("rows that differ from the quiet run", sum(map(len, verdict.differing.values()))),
        ("rows compared", sum(verdict.rows.values())),
        ("faults", len(verdict.faults)),
        ("messages delivered twice", verdict.messages_twice),
        ("processes killed by a photo", verdict.killed_by_photo),
        ("seconds, quiet", round(verdict.quiet_seconds)),
        ("seconds, wild", round(verdict.wild_seconds)),
    ]
    table = [f"{name:36} {value:>8}" for name, value in rows]
    reasons = [f"parked: {one}" for one in verdict.parked]
    different = [f"{name}: {row}" for name, lines in verdict.differing.items() for row in lines[:_LISTED]]
    return "\n".join([*table, *verdict.faults, *reasons, *different]) + "\n"
