"""Colours and limb widths shared by everything that is drawn."""

from __future__ import annotations

from ampose.render.canvas import Colour, mix

BACKGROUND: Colour = (17, 19, 23)
PANEL: Colour = (28, 31, 37)
GRID: Colour = (42, 46, 54)
AXIS: Colour = (66, 72, 84)
TEXT: Colour = (224, 228, 235)
FAINT_TEXT: Colour = (140, 147, 160)
NEUTRAL: Colour = (128, 136, 150)
RIM: Colour = (12, 13, 16)
WHITE: Colour = (255, 255, 255)

PEOPLE: tuple[Colour, ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (213, 94, 0),
    (240, 228, 66),
    (0, 114, 178),
)
"""Okabe and Ito's colours, which colour-blind people can tell apart, without black."""


def person_colour(identity: int) -> Colour:
    """The colour of an identity, the same in every picture."""
    return PEOPLE[identity % len(PEOPLE)]


def hexadecimal(colour: Colour) -> str:
    """Such as ``#56b4e9``, as pages and matplotlib take colours."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def limb_style(colour: Colour, side: str, *, seen: bool = True) -> tuple[Colour, float]:
    """Colour, and width relative to the usual, of a limb of that side.

    The right side is lighter and thinner; what was not seen in 2D fades into the panel.
    """
    width = 1.0
    if side == "right":
        colour, width = mix(colour, WHITE, 0.62), 0.62
    return (colour if seen else mix(colour, PANEL, 0.62)), width
