"""Looking at files needs no database: every file gives its faces or its reason, and nothing is kept."""

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facealbum import demo
from facealbum.cli import main
from tests.clips import Actor, Clip, film, still

PORTRAITS = Path(demo.__file__).parent / "portraits"
COLLINS = PORTRAITS / "collins-1998.jpg"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """The command line in this process: exit code, standard output, standard error."""
    monkeypatch.setenv("FACEALBUM_DATA", str(tmp_path / "data"))

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["facealbum", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two portraits, one of them deeper, a file cut short and one that is no picture."""
    deeper = tmp_path / "photos" / "deeper"
    deeper.mkdir(parents=True)
    shutil.copy(COLLINS, deeper.parent / "collins.jpg")
    shutil.copy(PORTRAITS / "obama-2012.jpg", deeper / "obama.jpg")
    (deeper / "cut.jpg").write_bytes(COLLINS.read_bytes()[:4000])
    (deeper / "notes.txt").write_text("no picture", encoding="utf-8")
    return deeper.parent


def test_a_file_shows_its_face(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("analyze-file", COLLINS)
    assert code == 0
    assert "340 x 394" in out
    assert "1 face" in out
    assert not (tmp_path / "data").exists()


def test_json_holds_every_number_of_a_face(run: Run) -> None:
    code, out, _ = run("analyze-file", COLLINS, "--json", "--embeddings")
    (found,) = json.loads(out)
    (face,) = found["faces"]
    assert code == 0
    assert face["box"].keys() == {"x1", "y1", "x2", "y2"}
    assert len(face["landmarks"]) == 5
    assert np.linalg.norm(face["embedding"]) == pytest.approx(1, abs=1e-5)
    assert {"yaw", "pitch", "roll", "age", "p_female", "quality", "score"} < face.keys()
    assert face["turned"] is False


def test_what_is_wrong_with_a_file_does_not_keep_the_others_back(run: Run, folder: Path) -> None:
    files = [folder / "deeper" / "cut.jpg", folder / "nowhere.jpg", folder / "deeper" / "notes.txt", COLLINS]
    code, out, _ = run("analyze-file", *files, "--json")
    found: list[dict[str, Any]] = json.loads(out)
    assert code == 3
    assert [one.get("code") for one in found] == ["damaged_image", "missing_file", "unknown_format", None]
    assert len(found[-1]["faces"]) == 1
    assert "embedding" not in found[-1]["faces"][0]


def test_a_drawing_is_a_picture_of_the_file(run: Run, tmp_path: Path) -> None:
    code, _, _ = run("analyze-file", COLLINS, "--draw", tmp_path / "collins.png")
    assert code == 0
    with Image.open(tmp_path / "collins.png") as drawing:
        assert drawing.format == "PNG"
        assert drawing.height == 1200
    code, _, _ = run("analyze-file", COLLINS, PORTRAITS / "obama-2012.jpg", "--draw", tmp_path / "drawn")
    assert {path.name for path in (tmp_path / "drawn").iterdir()} == {"0001-collins-1998.png", "0002-obama-2012.png"}


def test_a_photo_that_only_this_installation_allows_is_analysed_and_drawn(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (16_000, 12_600)).save(tmp_path / "large.jpg", quality=30)
    code, out, _ = run("analyze-file", tmp_path / "large.jpg", "--json")
    assert (code, json.loads(out)[0]["code"]) == (3, "image_size")
    monkeypatch.setenv("FACEALBUM_MAX_PIXELS", "300000000")
    code, out, _ = run("analyze-file", tmp_path / "large.jpg", "--json", "--draw", tmp_path / "large.png")
    assert (code, json.loads(out)[0]["width"]) == (0, 16_000)
    assert (tmp_path / "large.png").exists()


def test_a_video_shows_its_people(run: Run, tmp_path: Path) -> None:
    clip = Clip([Actor("collins-1998", still(0.3), height=0.5)], times=tuple(number / 5 for number in range(10)))
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "clip.mp4").write_bytes(film(clip))
    code, out, _ = run("analyze-file", tmp_path / "clips" / "clip.mp4", "--json", "--draw", tmp_path / "clip.png")
    (found,) = json.loads(out)
    assert code == 0
    assert (found["format"], found["width"]) == ("mp4", 640)
    assert {face["track"] for face in found["faces"]} == {0}
    with Image.open(tmp_path / "clip.png") as drawing:
        assert drawing.width > 1200
    assert "person" in run("analyze-file", tmp_path / "clips" / "clip.mp4")[1]
    code, out, _ = run("contact-sheet", tmp_path / "clips", tmp_path / "sheet.html", "--json")
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert (code, json.loads(out)["faces"]) == (0, len(found["faces"]))
    assert all(f"clip.mp4#t={face['ms'] / 1000:g}, face 1" in page for face in found["faces"])


def test_a_drawing_needs_the_name_of_a_picture(run: Run, tmp_path: Path) -> None:
    code, _, err = run("analyze-file", COLLINS, "--draw", tmp_path / "collins.pdf")
    assert code == 2
    assert "--draw must name" in err


@pytest.mark.parametrize("place", ["nowhere/out.png", "folder.png"])
def test_a_place_that_cannot_be_written_to_is_told_before_the_work(run: Run, tmp_path: Path, place: str) -> None:
    (tmp_path / "folder.png").mkdir()
    for command in (("analyze-file", tmp_path / "missing.jpg", "--draw"), ("contact-sheet", tmp_path)):
        code, _, err = run(*command, tmp_path / place)
        assert code == 2
        assert "a file in a folder that is there" in err


def test_a_contact_sheet_has_every_face_of_the_folder(run: Run, folder: Path, tmp_path: Path) -> None:
    code, out, _ = run("contact-sheet", folder, tmp_path / "sheet.html", "--sort", "age", "--json")
    told = json.loads(out)
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert code == 3
    assert (told["files"], told["faces"], len(told["problems"])) == (2, 2, 1)
    assert page.count("<img") == 2
    assert "deeper/obama.jpg, face 1" in page
    assert "deeper/cut.jpg: " in page
    assert "notes.txt" not in page


def test_pictures_of_kinds_that_are_not_read_are_named_on_the_sheet(run: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "photos" / "scan.bmp")
    raw = struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 0xC612, 1, 4, 1, 0)  # a TIFF that says it is a DNG
    (tmp_path / "photos" / "IMG_0001.DNG").write_bytes(raw)
    (tmp_path / "photos" / "renamed.jpg").write_text("no picture", encoding="utf-8")
    (tmp_path / "photos" / "IMG_0001.xmp").write_text("no picture", encoding="utf-8")
    code, out, _ = run("contact-sheet", tmp_path / "photos", tmp_path / "sheet.html", "--json")
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    names = ["IMG_0001.DNG", "renamed.jpg", "scan.bmp"]
    assert code == 3
    assert [(one["file"], one["code"]) for one in json.loads(out)["problems"]] == [(n, "unknown_format") for n in names]
    assert all(f"<li>{name}: " in page for name in names)
    assert "xmp" not in page


@pytest.mark.parametrize(("setting", "name"), [("PHOTO", "collins.jpg"), ("VIDEO", "clip.mp4")])
def test_a_file_of_more_bytes_than_an_import_takes_is_not_looked_at(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, name: str
) -> None:
    head = b"\0\0\0\x18ftypisom" if setting == "VIDEO" else COLLINS.read_bytes()
    (tmp_path / name).write_bytes(head + bytes(1000))
    monkeypatch.setenv(f"FACEALBUM_MAX_{setting}_BYTES", "1000")
    code, out, _ = run("analyze-file", tmp_path / name, "--json")
    (problem,) = json.loads(out)
    assert (code, problem["code"]) == (3, "image_size")
    assert problem["detail"].endswith(f"FACEALBUM_MAX_{setting}_BYTES allows 1000")
    code, out, _ = run("contact-sheet", tmp_path, tmp_path / "sheet.html", "--json")
    assert [one["file"] for one in json.loads(out)["problems"]] == [name]


def test_a_folder_without_pictures_gives_an_empty_sheet(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, out, _ = run("contact-sheet", tmp_path / "empty", tmp_path / "sheet.html")
    assert code == 0
    assert out.startswith("0 faces of 0 files")
