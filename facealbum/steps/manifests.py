"""Reading the CSV manifests: photos.csv and families.csv.

Every row that can't be used becomes a problem that says what was expected and where; the other rows go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from facealbum.domain.ids import child_id, family_id
from facealbum.domain.months import PHOTO_YEARS
from facealbum.domain.people import Child, Gender
from facealbum.errors import InvalidValueError, ManifestError
from facealbum.steps.rows import read_rows

PHOTO_COLUMNS = ("family", "photo", "path")
FAMILY_COLUMNS = ("family", "child", "birth_date", "gender")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """One thing that could not be imported, or not as it stands; family and photo are empty if unknown."""

    where: str
    code: str
    detail: str
    family: str = ""
    photo: str = ""


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """One photo to import: its key inside the family, its file, and its date if the manifest tells one."""

    family: str
    key: str
    path: Path
    taken_at: datetime | None
    where: str


@dataclass(frozen=True, slots=True)
class PhotoManifest:
    """What photos.csv says; a photo may appear in `problems` too when it is usable in part."""

    photos: Sequence[PhotoFile]
    problems: Sequence[ImportProblem]


@dataclass(frozen=True, slots=True)
class FamilyManifest:
    """What families.csv says: every family, and the children of each."""

    families: Sequence[str]
    children: Sequence[tuple[str, Child]]
    problems: Sequence[ImportProblem]


def read_photo_manifest(path: Path) -> PhotoManifest:
    """Read photos.csv (family,photo,path[,taken_at]); raises ManifestError if it can't be read at all."""
    photos: dict[tuple[str, str], PhotoFile] = {}
    problems: list[ImportProblem] = []
    for where, row in read_rows(path, PHOTO_COLUMNS, optional="taken_at"):
        try:
            photo = _photo(path.parent, where, row)
        except (ManifestError, InvalidValueError) as error:
            problems.append(_problem(where, error, row))
            continue
        first = photos.setdefault((photo.family, photo.key), photo)
        if first is not photo:
            detail = f"photo {photo.key!r} stands in the manifest twice, first at {first.where}; the first is taken"
            problems.append(ImportProblem(where, "duplicate_photo", detail, photo.family, photo.key))
        elif photo.taken_at is None and row.get("taken_at"):
            expected = f"a date and time of {PHOTO_YEARS.start} to {PHOTO_YEARS.stop - 1} such as 2026-10-31T12:00:00Z"
            detail = f"taken_at must be {expected}, got {row['taken_at']!r}; the photo goes by what its file says"
            problems.append(ImportProblem(where, "bad_taken_at", detail, photo.family, photo.key))
    return PhotoManifest(tuple(photos.values()), tuple(problems))


def read_family_manifest(path: Path, *, today: date) -> FamilyManifest:
    """Read families.csv (family,child,birth_date,gender); raises ManifestError if it can't be read at all."""
    families: dict[str, None] = {}
    children: dict[tuple[str, str], tuple[str, Child]] = {}
    problems: list[ImportProblem] = []
    for where, row in read_rows(path, FAMILY_COLUMNS):
        try:
            family = check_name(row["family"], "family")
            families.setdefault(family)
            if not row["child"]:
                continue
            child = parse_child(family, row["child"], row["birth_date"], row["gender"], today=today)
        except (ManifestError, InvalidValueError) as error:
            problems.append(_problem(where, error, row))
            continue
        _, first = children.setdefault((family, child.name), (family, child))
        if first != child:
            detail = "this child stands in the manifest twice with other data; the first is taken"
            problems.append(ImportProblem(where, "duplicate_child", detail, family))
    return FamilyManifest(tuple(families), tuple(children.values()), tuple(problems))


def parse_child(family: str, name: str, birth_date: str, gender: str, *, today: date) -> Child:
    """A registered child from text; raises InvalidValueError for a future birth date or an unknown gender."""
    try:
        born = date.fromisoformat(birth_date.strip())
    except ValueError:
        raise InvalidValueError(f"birth_date must be a date such as 2019-04-02, got {birth_date!r}") from None
    if born > today:
        raise InvalidValueError(f"birth_date must not be in the future, got {born} on {today}")
    if gender.strip().lower() not in set(Gender):
        raise InvalidValueError(f"gender must be one of {', '.join(Gender)}, got {gender!r}")
    clean = check_name(name.strip(), "a child's name")
    return Child(child_id(family_id(family), clean), clean, born, Gender(gender.strip().lower()))


def check_name(name: str, what: str) -> str:
    """The name, if a family, photo or child can have it; raises InvalidValueError otherwise."""
    if not 0 < len(name) <= _LONGEST_NAME or "\0" in name:
        raise InvalidValueError(f"{what} must have 1 to {_LONGEST_NAME} characters, got {len(name)}")
    return name


def parse_children(family: str, texts: Sequence[str], *, today: date) -> list[Child]:
    """Children from texts such as 'Hana,2019-04-02,female'; raises InvalidValueError for any other form."""
    children = []
    for text in texts:
        name, *rest = (part.strip() for part in text.rsplit(",", 2))
        if len(rest) != 2:  # noqa: PLR2004 - birth date and gender
            raise InvalidValueError(f"a child must be given as 'Hana,2019-04-02,female', got {text!r}")
        children.append(parse_child(family, name, *rest, today=today))
    return children


def _photo(folder: Path, where: str, row: dict[str, str]) -> PhotoFile:
    family, key = check_name(row["family"], "family"), check_name(row["photo"], "photo")
    if not row["path"]:
        raise ManifestError("the path of this photo is empty; give the path of its file")
    return PhotoFile(family, key, folder / row["path"], _moment(row.get("taken_at", "")), where)


def _moment(text: str) -> datetime | None:
    """When a photo can have been taken, aware, from ISO 8601 (UTC where no offset is given), or None."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.year not in PHOTO_YEARS:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _problem(where: str, error: ManifestError | InvalidValueError, row: dict[str, str]) -> ImportProblem:
    return ImportProblem(where, error.code, str(error), row.get("family", ""), row.get("photo", ""))
