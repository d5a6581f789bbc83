"""Reading CSV files row by row, however long they are; whoever needs all rows or none collects what is wrong."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from facealbum.errors import ManifestError

_TOLD_PROBLEMS = 20


def read_rows(path: Path, required: Sequence[str], *, optional: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Each row with its place, every cell stripped; raises ManifestError for what is no such CSV.

    optional: a column that may be missing, but not where one of another name may be meant to be it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            columns = reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
            missing = [name for name in required if name not in columns]
            if optional and optional not in columns and set(columns) - {*required}:
                missing.append(optional)
            if missing:
                found = ", ".join(columns) or "none"
                wanted = f"{path} must have the column(s) {', '.join(missing)}, with commas between"
                raise ManifestError(f"{wanted}; it has {found}")
            for row in reader:
                yield f"{path.name} line {reader.line_num}", {name: (row[name] or "").strip() for name in columns}
    except FileNotFoundError:
        raise ManifestError(f"there is no file {path}") from None
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} must be UTF-8, and isn't; save it as UTF-8 and try again") from error
    except OSError as error:
        raise ManifestError(f"{path} can't be read: {error.strerror}") from error
    except csv.Error as error:
        raise ManifestError(f"{path} line {reader.line_num} is no valid CSV: {error}") from error


def tell_problems(problems: Sequence[str]) -> str:
    """The first problems in one line, and how many more there are."""
    more = len(problems) - _TOLD_PROBLEMS
    return "; ".join([*problems[:_TOLD_PROBLEMS], *([f"and {more} more"] if more > 0 else [])])
