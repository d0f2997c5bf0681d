"""The lifters, as one explicit list that tests, recipes and commands go through."""

from __future__ import annotations

from torch import nn

from ampose.research.models.ampose import AMPose, AMPoseConfig
from ampose.research.models.martinez import Martinez, MartinezConfig
from ampose.research.models.refiner import Refined, RefinedConfig

ModelConfig = AMPoseConfig | MartinezConfig | RefinedConfig

ZOO: dict[str, tuple[type[ModelConfig], type[nn.Module]]] = {
    "ampose": (AMPoseConfig, AMPose),
    "martinez": (MartinezConfig, Martinez),
    "refined": (RefinedConfig, Refined),
}
"""Name to configuration and network. Every network maps (B, T, J, channels) to (B, J, 3)."""


def build(config: ModelConfig) -> nn.Module:
    """A network with fresh weights."""
    for config_type, network in ZOO.values():
        if isinstance(config, config_type):
            return network(config)
    raise TypeError(f"no network for {type(config).__name__}")
