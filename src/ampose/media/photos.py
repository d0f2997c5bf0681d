"""One photo as an upright RGB picture, with the camera that its EXIF data tells of."""

from __future__ import annotations

import contextlib
import math
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from ampose.cameras import Camera
from ampose.errors import InputError, one_line
from ampose.media.files import check_file
from ampose.media.frames import MAX_SIDE, Frame, reduced_size

MAX_PIXELS = 400_000_000
"""Photos with more pixels than this are refused."""

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
_FILM_DIAGONAL = math.hypot(36, 24)
_PLAUSIBLE_35MM = (5, 2000)
_STRIP_PIXELS = 16_000_000
_PILLOW = threading.Lock()


def load_photo(path: Path | str) -> Frame:
    """Reads a JPEG, PNG, WebP, BMP, TIFF or (its first picture) GIF, whatever its name ends in.

    EXIF orientation is applied, transparency becomes white, 16 bits per channel become 8.

    Raises:
        InputError: the file is missing, unreadable, no photo, damaged, or above `MAX_PIXELS`.
    """
    path = Path(path)
    check_file(path)
    with _identified(path) as image:
        if image is None:
            raise InputError(
                f"{path} is not a photo that can be read; JPEG, PNG, WebP, BMP and TIFF can"
            )
        if image.width * image.height > MAX_PIXELS:
            raise InputError(
                f"{path} has {image.width} x {image.height} pixels; "
                f"at most {MAX_PIXELS // 1_000_000} million are read; make it smaller"
            )
        try:
            return _decoded(image, path.name)
        except Exception as error:  # noqa: BLE001 - on damaged files Pillow raises a dozen kinds
            raise InputError(
                f"{path} cannot be read, it may be damaged: {one_line(error)}"
            ) from None


def is_photo(path: Path, *, animated: bool = False) -> bool:
    """Whether the file at `path` is a still photo or, if asked, an animation; by its content."""
    with _identified(path) as image:
        # A multi-page TIFF and a phone's JPEG with a depth map have frames, but do not move.
        moves = (
            image is not None
            and image.format in ("GIF", "WEBP", "PNG")
            and getattr(image, "is_animated", False)
        )
        return image is not None and moves == animated


@contextlib.contextmanager
def _identified(path: Path) -> Iterator[Image.Image | None]:
    """The opened, not yet decoded picture; None where the content is no known format.

    Pillow's limit against decompression bombs is a global that would refuse what `MAX_PIXELS`
    allows, so it is off in here, under a lock, and restored. Its warnings about bad EXIF data are
    off, too.
    """
    with _PILLOW, warnings.catch_warnings(), contextlib.ExitStack() as stack:
        warnings.simplefilter("ignore")
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            image: Image.Image | None
            try:
                image = stack.enter_context(Image.open(path, formats=_FORMATS))
            except Exception:  # noqa: BLE001 - on damaged files Pillow raises a dozen kinds
                image = None
            yield image
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _decoded(image: Image.Image, name: str) -> Frame:
    size = image.size
    image.draft(None, (MAX_SIDE, MAX_SIDE))  # a large JPEG is decoded at 1/2, 1/4 or 1/8
    exif = image.getexif()
    orientation = exif.get(ExifTags.Base.Orientation, 1)
    if orientation in (5, 6, 7, 8):  # those that exchange width and height
        size = size[1], size[0]
    small = _reduced(image)
    small.getexif()[ExifTags.Base.Orientation] = orientation
    upright = ImageOps.exif_transpose(small)
    upright = upright.resize(reduced_size(size), Image.Resampling.HAMMING)
    return Frame(np.asarray(upright), size, 0.0, 0, name, _exif_camera(exif, size))


def _reduced(image: Image.Image) -> Image.Image:
    """RGB, reduced by a whole factor but not below `MAX_SIDE`.

    It is converted strip by strip, so that no second picture of full size is ever in memory.
    """
    image.load()
    factor = max(1, max(image.size) // MAX_SIDE)
    width, height = (-(-side // factor) for side in image.size)
    rows = factor * max(1, _STRIP_PIXELS // (image.width * factor))
    out = Image.new("RGB", (width, height))
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        out.paste(_rgb(strip).reduce(factor), (0, top // factor))
    return out


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers; save it with 8 bits per channel")
    if image.mode.startswith("I"):
        wide: NDArray[np.int64] = np.asarray(image).astype(np.int64)
        return Image.fromarray((wide >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _exif_camera(exif: Image.Exif, size: tuple[int, int]) -> Camera | None:
    """The camera from EXIF's 35 mm equivalent focal length.

    "Equivalent" means the same angle along the **diagonal**, which is 43.27 mm on film, so it
    holds for sensors of any aspect. The focal length in millimetres alone says nothing without
    the sensor's size. A photo that was cropped after the shot has a wrong value here.
    """
    value = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm)
    low, high = _PLAUSIBLE_35MM
    if not isinstance(value, int) or not low <= value <= high:  # 0 stands for unknown
        return None
    focal = value / _FILM_DIAGONAL * math.hypot(*size)
    return Camera.from_focal(size, focal, source="exif")
