"""The colours of the style sheet can be told apart in both looks, as WCAG 2.2 asks (1.4.3 and 1.4.11)."""

import re
from importlib.resources import files
from itertools import product

import pytest

SHEET = files("facealbum.web").joinpath("static", "style.css").read_text(encoding="utf-8")
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\)", SHEET)
}
GROUNDS = ("paper", "sheet")
TEXTS = [*product(("ink", "faint", "accent", "good", "bad", "warn"), GROUNDS), ("on-accent", "accent")]
DRAWINGS = list(product((f"series-{number}" for number in range(1, 5)), GROUNDS))


def luminance(colour: str) -> float:
    """Relative luminance of RRGGBB, 0 to 1, by WCAG's definition."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 for the same colour, 21 for black on white."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", [0, 1], ids=["light", "dark"])
def test_texts_and_drawings_stand_out_from_what_they_are_on(look: int) -> None:
    pairs = [(4.5, pair) for pair in TEXTS] + [(3.0, pair) for pair in DRAWINGS]
    weak = {
        pair: found for least, pair in pairs if (found := contrast(*(COLOURS[name][look] for name in pair))) < least
    }
    assert weak == {}


def test_contrast_is_as_wcag_defines_it() -> None:
    assert contrast("000000", "ffffff") == pytest.approx(21)
    assert contrast("777777", "ffffff") == pytest.approx(4.48, abs=0.01)
