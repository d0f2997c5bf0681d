"""Everything a run can be told."""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any, get_args

from ampose.cameras import Camera
from ampose.detection import MIN_SCORE
from ampose.errors import InputError
from ampose.mapping import Mapping
from ampose.motion.choice import parse_choice
from ampose.motion.cleaning import Repairs
from ampose.motion.filters import Filter

_RANGES = {
    "fov": (1, 170),
    "focal": (1, 1_000_000),
    "fps": (0.001, 1_000_000),
    "capture_fps": (0.001, 1_000_000),
    "min_score": (0, 1),
    "threads": (1, 256),
    "cutoff": (0.01, 1_000),
    "height": (0.3, 2.8),
    "pitch": (-90, 90),
    "roll": (-90, 90),
}
"""Smallest and largest value of every option that is a number."""

_UNITS = {
    **dict.fromkeys(("fov", "pitch", "roll"), "degrees"),
    **dict.fromkeys(("fps", "capture_fps"), "frames per second"),
    "focal": "pixels",
    "cutoff": "Hz",
    "height": "metres",
}

_WORDS = {"filter": get_args(Filter), "mapping": get_args(Mapping)}
"""The words that the other options may be, for those that take one of a few."""


@dataclass(frozen=True)
class Options(Repairs):
    """Everything a run can be told; options of the command line have the same names.

    Besides the attributes of `Repairs`:

    Attributes:
        fov: horizontal field of view in degrees.
        focal: focal length in pixels; not together with `fov`.
        start: first second of a video.
        end: last second of a video.
        capture_fps: frames per second when it was filmed, for slow motion.
        sequence: a folder's photos are frames of one recording.
        fps: frames per second of such a folder, or of keypoints that come without times;
            `DEFAULT_FPS`, with a warning, if None.
        detector: a user's own ONNX, see `ampose.detection`.
        detector_skeleton: its joint set, by name.
        min_score: keypoints below this confidence count as not seen.
        weights: a lifter exported by this package.
        mapping: how the detector's joints become Human3.6M's, see `ampose.mapping`.
        threads: how many may be busy at once; one per processor if None.
        person: who is meant: all, largest, longest, an id or a place X,Y; see
            `ampose.motion.choice`.
        frame_by_frame: every frame by itself, as in photos: no step uses other frames.
        blur_faces: cover faces in all pictures that are drawn or streamed, see
            `ampose.render.privacy`.
    """

    fov: float | None = None
    focal: float | None = None
    start: float | None = None
    end: float | None = None
    capture_fps: float | None = None
    sequence: bool = False
    fps: float | None = None
    detector: Path | None = None
    detector_skeleton: str | None = None
    min_score: float = MIN_SCORE
    weights: Path | None = None
    mapping: Mapping = "hybrid"
    threads: int | None = None
    person: str = "all"
    frame_by_frame: bool = False
    blur_faces: bool = False

    def __post_init__(self) -> None:
        if self.fov is not None and self.focal is not None:
            raise InputError("give --fov or --focal, not both")
        for each in fields(self):
            name, value = each.name, getattr(self, each.name)
            if name in _RANGES and (value is not None or each.default is not None):
                object.__setattr__(self, name, _number(name, value))
            elif isinstance(each.default, bool):
                if value not in (True, False):
                    raise InputError(f"{flag(name)} must be True or False, got {value!r}")
                object.__setattr__(self, name, bool(value))
            elif name in _WORDS and value not in _WORDS[name]:
                *most, last = _WORDS[name]
                raise InputError(
                    f"{flag(name)} must be {', '.join(most)} or {last}, got {value!r}"
                )
        if not isinstance(self.person, str):
            raise InputError(f"--person must be text, such as '0', got {self.person!r}")
        parse_choice(self.person)

    @property
    def repairs(self) -> Repairs:
        """The repairs along time; with `frame_by_frame` none, and only the body height is used."""
        if self.frame_by_frame:
            return Repairs.none(height=self.height)
        return Repairs(**{each.name: getattr(self, each.name) for each in fields(Repairs)})

    def as_dict(self) -> dict[str, Any]:
        """What was told or left at a default, as plain values for the results' files."""
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in vars(self).items()
            if value is not None
        }

    def camera_of_size(self, size: tuple[int, int], known: Camera | None = None) -> Camera:
        """The camera of a picture of that size: as told, else known from EXIF, else assumed."""
        if self.fov is not None:
            return Camera.from_fov(size, self.fov)
        if self.focal is None:
            return known or Camera.assumed(size)
        camera = Camera.from_focal(size, self.focal)
        low, high = _RANGES["fov"]
        if not low <= max(camera.fov) <= high:
            raise InputError(
                f"--focal {self.focal:g} is a field of view of {max(camera.fov):.3g} degrees in a "
                f"picture of {size[0]} x {size[1]}, but {low} to {high} are allowed; give pixels, "
                "not millimetres"
            )
        return camera


def _number(name: str, value: object) -> float:
    """A number within its range, of Python's own types, which JSON can hold."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{flag(name)} must be a number, got {value!r}")
    if name == "threads" and not isinstance(value, Integral):
        raise InputError(f"{flag(name)} must be a whole number, got {value!r}")
    number = int(value) if isinstance(value, Integral) else float(value)
    low, high = _RANGES[name]
    if not low <= number <= high:
        unit = f" {_UNITS[name]}" if name in _UNITS else ""
        raise InputError(f"{flag(name)} must be {low:,} to {high:,}{unit}, got {number:g}")
    return number


def flag(name: str) -> str:
    """An option's name as users of the command line write it."""
    return f"--{name.replace('_', '-')}"
