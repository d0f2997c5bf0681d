"""Configuration of networks that add something to a trained one."""

from __future__ import annotations

from dataclasses import dataclass

from ampose.research.models.ampose import AMPoseConfig
from ampose.research.models.checks import refuse_impossible


@dataclass(frozen=True)
class OnBaseConfig:
    """Configuration of a network on top of another.

    Attributes:
        base: the other network.
    """

    base: AMPoseConfig

    def __post_init__(self) -> None:
        if isinstance(self.base, dict):  # from a weights file
            object.__setattr__(self, "base", AMPoseConfig(**self.base))
        refuse_impossible(self)

    @property
    def frames(self) -> int:
        """Input frames of the other network."""
        return self.base.frames

    @property
    def channels(self) -> int:
        """Input channels of the other network."""
        return self.base.channels

    @property
    def skeleton(self) -> str:
        """Joint set of the other network."""
        return self.base.skeleton

    @property
    def width(self) -> int:
        """Channels of the other network."""
        return self.base.width
