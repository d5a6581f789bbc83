"""Drawings: whatever the values, they are well-formed, stay inside their frame and say every number."""

import re
from collections.abc import Sequence
from math import inf
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.web.charts import Point, Series, _ticks, draw_bars, draw_lines

VALUES = st.floats(-1e6, 1e6, allow_subnormal=False)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)


@st.composite
def points(draw: st.DrawFn) -> Point:
    ends = sorted(draw(st.lists(VALUES, min_size=3, max_size=3)))
    low, value, high = ends if draw(st.booleans()) else (None, ends[1], None)
    return Point(draw(TEXTS), value, low, high)


def write(value: float) -> str:
    return f"{value:g}<&>"


def places(svg: str) -> tuple[ET.Element, list[float], list[float]]:
    """The drawing, and everything across and down that it names."""
    drawing = ET.fromstring(svg)  # noqa: S314 - our own
    across, down = [], []
    for one in drawing.iter():
        across += [float(one.attrib[name]) for name in ("x", "cx") if name in one.attrib]
        down += [float(one.attrib[name]) for name in ("y", "cy") if name in one.attrib]
        for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", one.attrib.get("d", "")):
            across.append(float(x))
            down.append(float(y))
    return drawing, across, down


def inside(svg: str) -> ET.Element:
    drawing, across, down = places(svg)
    _, _, width, height = map(float, drawing.attrib["viewBox"].split())
    assert all(0 <= x <= width for x in across)
    assert all(0 <= y <= height for y in down)
    return drawing


@given(TEXTS, st.lists(points(), min_size=1, max_size=40), st.booleans(), st.booleans())
def test_lines_stay_inside_and_say_every_value(title: str, some: Sequence[Point], small: bool, from_zero: bool) -> None:  # noqa: FBT001 - as Hypothesis calls it
    svg = draw_lines(title, [Series(title, some)], write=write, small=small, from_zero=from_zero)
    drawing = inside(svg)
    assert drawing.attrib["aria-label"] == title
    said = [one.text for one in drawing.iter() if one.tag.endswith("title")]
    assert len(said) == len(some)
    assert all(write(point.value or 0) in (text or "") for point, text in zip(some, said, strict=True))


@given(TEXTS, st.lists(points(), min_size=1, max_size=20))
def test_bars_stay_inside_and_say_every_value(title: str, some: Sequence[Point]) -> None:
    drawing = inside(draw_bars(title, some, write=write, limit=3.0))
    said = [one.text for one in drawing.iter() if one.tag.endswith("title")]
    assert len(said) == len(some)


@given(st.lists(VALUES, min_size=1), st.booleans())
def test_an_axis_has_few_round_ticks_around_all_values(values: list[float], from_zero: bool) -> None:  # noqa: FBT001 - as above
    ticks = _ticks(values, from_zero=from_zero)
    assert 2 <= len(ticks) <= 7
    slack = 1e-6 * (ticks[-1] - ticks[0])
    assert ticks[0] - slack <= min(values)
    assert max(values) <= ticks[-1] + slack
    assert not from_zero or ticks[0] <= 0 <= ticks[-1]


def test_where_there_is_no_value_nothing_is_drawn() -> None:
    assert draw_lines("x", [Series("x", [Point("a", None), Point("b", None)])], write=write) == ""
    assert draw_bars("x", [Point("a", None)], write=write) == ""


def test_a_gap_parts_the_line_and_an_endless_interval_is_left_out() -> None:
    some = [Point("a", 1.0, 0.5, 2.0), Point("b", None), Point("c", 2.0, 1.0, inf), Point("d", 3.0)]
    svg = draw_lines("x", [Series("x", some)], write=str)
    (line,) = re.findall(r'class="line s1" d="([^"]*)"', svg)
    assert line.count("M") == 2
    assert svg.count('class="band"') == 1
    assert "inf" not in re.sub(r"<title>.*?</title>", "", svg)


def test_series_that_could_not_be_told_apart_are_refused() -> None:
    series = [Series(str(number), [Point("a", 1.0)]) for number in range(5)]
    with pytest.raises(ValueError, match="told apart, got 5"):
        draw_lines("x", series, write=str)
    svg = draw_lines("x", series[:4], write=str)
    assert [f'class="line s{number}"' in svg for number in range(1, 5)] == [True] * 4
