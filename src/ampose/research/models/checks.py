"""What every configuration of a lifter refuses."""

from __future__ import annotations


def refuse_impossible(
    *dropouts: float, width: int, frames: int, channels: int, blocks: int = 0
) -> None:
    """Raises ValueError if no lifter can have these values.

    Args:
        dropouts: probabilities.
        width: channels.
        frames: input frames, of which one must be in the middle.
        channels: numbers per joint and frame.
        blocks: repetitions.
    """
    for name, value, least in (
        ("width", width, 2),
        ("channels", channels, 1),
        ("blocks", blocks, 0),
    ):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    if frames < 1 or frames % 2 == 0:
        raise ValueError(f"frames must be odd, so that one is in the middle, got {frames}")
    for dropout in dropouts:
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, got {dropout}")
