"""Anti-aliased lines, dots and text on uint8 RGB arrays, drawn in place.

A canvas is any (H, W, 3) uint8 array, also a view into a larger one: what lies outside is clipped.
Places are pixels, x right, y down, (0, 0) the corner of the top-left pixel.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from ampose.render.letters import font_with

Canvas = NDArray[np.uint8]
Colour = tuple[int, int, int]
Point = tuple[float, float]

_FAR = 1e6  # pixels; a line to further away is not drawn, its squares would leave float32


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """`colour` with a share of `other`, 0 to 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def draw_line(
    canvas: Canvas,
    start: Point,
    end: Point,
    width: float,
    colour: Colour,
    rim: Colour | None = None,
) -> None:
    """A line with round ends, `width` pixels thick; with `rim`, edged by 1.5 pixels of it.

    A line from a point to itself is a dot.
    """
    radius = width / 2
    reach = radius + (0 if rim is None else 1.5)
    (x0, y0), (x1, y1) = start, end
    left, right = _pixels(min(x0, x1) - reach, max(x0, x1) + reach, canvas.shape[1])
    top, bottom = _pixels(min(y0, y1) - reach, max(y0, y1) + reach, canvas.shape[0])
    if left >= right or top >= bottom or max(map(abs, (*start, *end))) > _FAR:
        return
    x = np.arange(left, right, dtype=np.float32) + np.float32(0.5 - x0)
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - y0)
    dx, dy = x1 - x0, y1 - y0
    along = ((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-9)).clip(0, 1)
    distance = np.sqrt((x - along * dx) ** 2 + (y - along * dy) ** 2)
    paint: Canvas | Colour = colour
    if rim is not None:
        inner = (radius + 0.5 - distance).clip(0, 1)[..., None]
        paint = (np.array(rim) + inner * np.subtract(colour, rim)).astype(np.uint8)
    _blend(canvas[top:bottom, left:right], paint, (reach + 0.5 - distance).clip(0, 1))


def draw_dot(canvas: Canvas, centre: Point, radius: float, colour: Colour) -> None:
    """A filled circle."""
    draw_line(canvas, centre, centre, 2 * radius, colour)


def draw_text(
    canvas: Canvas, place: tuple[int, int], text: str, colour: Colour, *, size: int = 14
) -> None:
    """Text with its top-left corner (the height of a capital) at `place`."""
    left, top = max(0, place[0]), max(0, place[1])
    mask = _text_mask(text, size)[top - place[1] :, left - place[0] :]
    target = canvas[top : top + mask.shape[0], left : left + mask.shape[1]]
    _blend(target, colour, mask[: target.shape[0], : target.shape[1]])


def text_width(text: str, *, size: int = 14) -> int:
    """Pixels that `draw_text` needs from left to right."""
    return math.ceil(_font(text, size).getlength(text))


def fitted(text: str, width: int, *, size: int = 14) -> str:
    """`text` on one line, shortened with an ellipsis to at most `width` pixels."""
    text = " ".join(text.split())
    if text_width(text, size=size) <= width:
        return text
    while text and text_width(text + "…", size=size) > width:
        text = text[:-1].rstrip()
    return text + "…" if text else ""


def _pixels(low: float, high: float, limit: int) -> tuple[int, int]:
    return max(0, math.floor(low)), min(limit, math.ceil(high) + 1)


def _blend(target: Canvas, paint: ArrayLike, opacity: NDArray[np.float32]) -> None:
    target[...] = target + opacity[..., None] * (np.asarray(paint, np.float32) - target) + 0.5


def _font(text: str, size: int) -> ImageFont.FreeTypeFont:
    return _loaded(font_with(text), size)


@functools.cache
def _loaded(path: Path | None, size: int) -> ImageFont.FreeTypeFont:
    if path is not None:
        return ImageFont.truetype(path, size)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


@functools.lru_cache(maxsize=256)
def _text_mask(text: str, size: int) -> NDArray[np.float32]:
    font = _font(text, size)
    image = Image.new("L", (max(1, text_width(text, size=size)), 2 * size))
    top = font.getbbox("H" if text.isascii() else f"H{text}")[1]  # 試 is higher than H
    ImageDraw.Draw(image).text((0, -top), text, fill=255, font=font)
    return np.asarray(image, np.float32) / np.float32(255)
