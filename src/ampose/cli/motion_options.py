"""Options of what is done along time, shared by ``ampose run`` and ``ampose lift``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

_PANEL = "Motion"


def _option(text: str, *names: str) -> object:
    return typer.Option(*names, help=text, rich_help_panel=_PANEL)


Person = Annotated[
    str, _option("Who is meant: all, largest, longest, an id, or a place X,Y in pixels.")
]
FrameByFrame = Annotated[
    bool, _option("Every frame by itself, without all that follows.", "--frame-by-frame")
]
Swaps = Annotated[bool, _option("Put left and right back where they were exchanged.")]
Outliers = Annotated[bool, _option("Remove joints that jump.")]
Gaps = Annotated[bool, _option("Fill short gaps.")]
FilterName = Annotated[
    Literal["butterworth", "savitzky-golay", "one-euro", "none"], _option("Filter along time.")
]
Cutoff = Annotated[
    float | None, _option("Cut-off of the filter, Hz; 4 if left out. Fast hands need 6 or more.")
]
Bones = Annotated[bool, _option("Give a person the same bones in all frames.")]
Root = Annotated[bool, _option("Steady the distance to a person.")]
World = Annotated[bool, _option("Find gravity and the floor (estimated).")]
Height = Annotated[float | None, _option("Body height of everybody, metres.")]
Pitch = Annotated[
    float | None, _option("Degrees by which the camera looks down; estimated if left out.")
]
Roll = Annotated[
    float | None,
    _option("Degrees by which up leans to the right in the picture; estimated if left out."),
]
