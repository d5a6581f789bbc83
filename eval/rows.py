"""The CSV files of albums with known truth, as the albums' README describes them."""

import csv
from pathlib import Path


def read_rows(path: Path) -> list[dict[str, str]]:
    """Every row by the names in the header; a byte order mark is no part of the first name."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
