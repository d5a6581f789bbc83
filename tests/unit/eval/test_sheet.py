"""A contact sheet shows every face once, on pages that stand alone."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from eval.sheet import PER_PAGE, SheetFace, count_pages, render_sheet
from facealbum.domain.faces import Box, Face

FACE = Face(Box(0, 0, 90, 100), np.zeros((5, 2), np.float32), 12, -3, 4, 6.5, 0.9, 0.75, 0.9, np.zeros(512, np.float32))


def sheet(count: int, *, name: str = "a.jpg", problems: tuple[str, ...] = ()) -> list[str]:
    faces = [SheetFace(name, number, FACE, b"jpeg") for number in range(1, count + 1)]
    names = [f"page-{number}.html" for number in range(1, count_pages(count) + 1)]
    return render_sheet(faces, problems, title="Summer", files=2, names=names)


@pytest.mark.parametrize(("faces", "pages"), [(0, 1), (1, 1), (PER_PAGE, 1), (PER_PAGE + 1, 2), (10 * PER_PAGE, 10)])
def test_pages_are_of_a_fixed_length(faces: int, pages: int) -> None:
    assert count_pages(faces) == pages


def test_every_face_is_on_exactly_one_page() -> None:
    shown = [int(number) for page in sheet(1203) for number in re.findall(r'alt="Face (\d+) of', page)]
    assert shown == list(range(1, 1204))


def test_each_page_leads_to_the_others() -> None:
    first, second, third = sheet(1203)
    for page, links in ((first, (2, 3)), (second, (1, 3)), (third, (1, 2))):
        assert re.findall(r'href="page-(\d)\.html"', page) == [str(link) for link in links]


def test_a_face_has_its_numbers() -> None:
    (page,) = sheet(1)
    for text in ("6.5 years, female 90%", "quality 0.75, 90 px wide", "yaw +12, pitch -3, roll +4", "a.jpg, face 1"):
        assert text in page


def test_names_and_problems_cannot_break_out_of_the_page() -> None:
    (page,) = sheet(1, name="<script>alert(1)</script>.jpg", problems=("<img src=x>",))
    tags: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            del attrs
            tags.append(tag)

    Tags().feed(page)
    assert "script" not in tags
    assert tags.count("img") == 1
    assert "http" not in page


def test_an_empty_folder_gives_a_page_that_says_so() -> None:
    assert "0 faces of 2 files." in sheet(0)[0]


def test_what_could_not_be_read_stands_below_the_faces_of_the_first_page_and_is_told_above() -> None:
    first, second = sheet(PER_PAGE + 1, problems=("IMG_1.dng: a raw file", "cut.jpg: damaged"))
    told, below = first.index('<a href="#unread">2 could not be read.</a>'), first.index("IMG_1.dng: a raw file")
    assert told < first.index("<img") < first.rindex("<img") < below < first.index("cut.jpg: damaged")
    assert "unread" not in second
