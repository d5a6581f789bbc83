"""What analysis found, drawn on the picture: boxes, landmarks, axes of the head, and a legend of all numbers.

The picture is brought to a size at which lines and letters can be read, whatever size it came in; faces are numbered
as the result numbers them, so that very small ones need no text of their own.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from facealbum.domain.faces import Face

_SIDES = 1200, 2000  # the longer side of the drawn picture, in pixels: at least, at most
_INK, _PAPER, _BOX, _POINT = "#f4f4f4", "#1d1f23", "#ffd23f", "#ff4fa3"
_AXES = "#ff5a52", "#4cd964", "#4aa8ff"  # right, down, and out of the face
_HALF = 0.5


def draw_faces(
    picture: NDArray[np.uint8], faces: Mapping[int, Face], *, size: tuple[int, int], caption: str = ""
) -> Image.Image:
    """A picture to look at, of an RGB picture uint8[rows, columns, 3] and the faces on it by their numbers.

    size: width and height in the pixels that the faces are given in; caption: what stands below each one's figures.
    """
    rows, columns, _ = picture.shape
    factor = np.clip(max(rows, columns), *_SIDES) / max(rows, columns)
    width, height = max(1, round(columns * factor)), max(1, round(rows * factor))
    shown = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    image = Image.fromarray(np.asarray(shown, np.uint8))
    scale = np.array([width / size[0], height / size[1]])
    letters = max(14, max(width, height) // 75)
    font = ImageFont.load_default(letters)
    canvas = ImageDraw.Draw(image)
    for face in faces.values():
        _draw_marks(canvas, face, scale, line=max(2, letters // 6))
    for number, face in faces.items():
        _draw_tag(canvas, face, scale, f"{number}", font=font, room=(width, height))
    words = [_words(number, face) for number, face in faces.items()] or [("no face found",)]
    return _with_legend(image, [(*lines, caption) if caption else lines for lines in words], font)


def head_axes(face: Face) -> NDArray[np.float64]:
    """float64[3, 3]: unit vectors to the head's side, down and out of its face, in x, y of the picture and towards us.

    A face that looks straight at us has the unit matrix.
    """
    yaw, pitch, roll = np.radians([face.yaw, face.pitch, face.roll])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    lift = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    axes: NDArray[np.float64] = (tilt @ turn @ lift).T
    return axes


def _draw_marks(canvas: ImageDraw.ImageDraw, face: Face, scale: NDArray[np.float64], *, line: int) -> None:
    corners = np.array([[face.box.x1, face.box.y1], [face.box.x2, face.box.y2]]) * scale
    canvas.rectangle(_flat(corners), outline=_PAPER, width=line + 2)
    canvas.rectangle(_flat(corners), outline=_BOX, width=line)
    nose, reach = face.landmarks[2] * scale, _HALF * face.box.width * scale[0]
    for axis, colour in zip(head_axes(face), _AXES, strict=True):
        canvas.line(_flat(np.array([nose, nose + reach * axis[:2]])), fill=colour, width=line + 1)
    dot = min(1.7 * line, 0.03 * reach + 1)
    for point in face.landmarks * scale:
        canvas.ellipse(_flat(np.array([point - dot, point + dot])), fill=_POINT, outline=_PAPER)


def _draw_tag(
    canvas: ImageDraw.ImageDraw,
    face: Face,
    scale: NDArray[np.float64],
    text: str,
    *,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    room: tuple[int, int],
) -> None:
    """The number on a plate above the box, or inside of it where there is no room above."""
    left, top, right, bottom = canvas.textbbox((0, 0), text, font=font)
    wide, high = right - left + 8, bottom - top + 8
    x = min(max(0.0, face.box.x1 * scale[0]), room[0] - wide)
    y = face.box.y1 * scale[1] - high
    y = y if y >= 0 else max(0.0, face.box.y1 * scale[1])
    canvas.rectangle((x, y, x + wide, y + high), fill=_BOX)
    canvas.text((x + 4 - left, y + 4 - top), text, fill=_PAPER, font=font)


def _words(number: int, face: Face) -> tuple[str, ...]:
    """What the legend says of a face, a text per line."""
    gender, sure = ("female", face.p_female) if face.p_female >= _HALF else ("male", 1 - face.p_female)
    angles = [f"{name} {round(getattr(face, name)):+d}" for name in ("yaw", "pitch", "roll")]
    return (
        f"{number}   {face.age:.1f} years, {gender} {sure:.0%}",
        f"quality {face.quality:.2f}, detector {face.score:.2f}, {face.box.width:.0f} px wide",
        f"{', '.join(angles)}{', turned' if face.turned else ''}",
    )


def _with_legend(
    image: Image.Image, entries: Sequence[tuple[str, ...]], font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> Image.Image:
    """The image with a panel at its right, in as many columns as the entries need."""
    measure = ImageDraw.Draw(image)
    line = round(1.35 * measure.textbbox((0, 0), "Ag", font=font)[3])
    wide = round(max(measure.textlength(text, font=font) for words in entries for text in words)) + 2 * line
    high = line * (max(len(words) for words in entries) + 1)
    in_column = max(1, (image.height - line) // high)
    columns = -(-len(entries) // in_column)
    height = max(image.height, line + high * min(len(entries), in_column))
    whole = Image.new("RGB", (image.width + columns * wide, height), _PAPER)
    whole.paste(image, (0, 0))
    canvas = ImageDraw.Draw(whole)
    for place, words in enumerate(entries):
        x, y = image.width + line + place // in_column * wide, line + place % in_column * high
        for row, text in enumerate(words):
            canvas.text((x, y + row * line), text, fill=_BOX if row == 0 else _INK, font=font)
    return whole


def _flat(points: NDArray[np.float64]) -> list[float]:
    return [float(number) for number in points.ravel()]
