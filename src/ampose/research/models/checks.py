"""What every configuration of a lifter refuses."""

from __future__ import annotations

_LEAST = {
    "width": 2,
    "head_width": 1,
    "channels": 1,
    "blocks": 0,
    "depth": 1,
    "heads": 1,
    "hidden": 1,
}
"""By the name of a field, else by its last word."""


def refuse_impossible(config: object) -> None:
    """Raises ValueError if no lifter can have what a configuration says.

    Looks at its fields that are called, or end with, width, channels, blocks, depth, hidden,
    heads (the width divides into `heads`, unless there is a head_width), frames (of which one is
    in the middle), drop_path or dropout (probabilities below 1).
    """
    values = vars(config)
    for name, value in values.items():
        least = _LEAST.get(name, _LEAST.get(name.rpartition("_")[2]))
        if least is not None and value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
        if name == "heads" and "head_width" not in values and values["width"] % value:
            raise ValueError(f"width {values['width']} does not divide into {value} heads")
        if name == "frames" and (value < 1 or value % 2 == 0):
            raise ValueError(f"frames must be odd, so that one is in the middle, got {value}")
        if name.endswith(("dropout", "drop_path")) and not 0 <= value < 1:
            raise ValueError(f"{name} must be at least 0 and below 1, got {value}")
