"""What a report of figures says, as values: a verdict in sentences, then sections of words and charts.  PURE."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from eval.report.charts import Chart, Faces, Table


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with paragraphs, then charts and tables."""

    title: str
    words: tuple[str, ...] = ()
    blocks: tuple[Chart | Table | Faces, ...] = ()


class Mood(StrEnum):
    """What colour the verdict has; its words say the same."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole report.

    totals: counts to begin with, each with its noun for one and for many.  figures: what its numbers come from, JSON.
    """

    kind: str
    title: str
    subtitle: str
    generated_at: datetime
    mood: Mood
    verdict: tuple[str, ...]
    totals: tuple[tuple[int, str, str], ...]
    sections: tuple[Section, ...]
    figures: Mapping[str, Any]

    @property
    def tables(self) -> list[Table]:
        """Every table, those of charts too."""
        blocks = [block for section in self.sections for block in section.blocks]
        return [block if isinstance(block, Table) else block.table for block in blocks if not isinstance(block, Faces)]

    @property
    def shows_faces(self) -> bool:
        """Whether there is a picture of anybody."""
        return any(isinstance(block, Faces) for section in self.sections for block in section.blocks)

    def to_dict(self) -> dict[str, Any]:
        """As JSON: the verdict, and the figures behind it."""
        return {
            "kind": self.kind,
            "title": self.title,
            "subtitle": self.subtitle,
            "generated_at": self.generated_at.isoformat(),
            "verdict": list(self.verdict),
            "figures": dict(self.figures),
        }
