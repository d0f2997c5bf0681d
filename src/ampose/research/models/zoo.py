"""The lifters, as one explicit list that tests, recipes and commands go through."""

from __future__ import annotations

from torch import nn

from ampose.research.models.ampose import AMPose, AMPoseConfig
from ampose.research.models.cai_stgcn import CaiSTGCN, CaiSTGCNConfig
from ampose.research.models.graformer import GraFormer, GraFormerConfig
from ampose.research.models.graphmlp import GraphMLP, GraphMLPConfig
from ampose.research.models.jointformer import JointFormer, JointFormerConfig
from ampose.research.models.lcn import LCN, LCNConfig
from ampose.research.models.martinez import Martinez, MartinezConfig
from ampose.research.models.mhformer import MHFormer, MHFormerConfig
from ampose.research.models.mixste import MixSTE, MixSTEConfig
from ampose.research.models.modulated_gcn import ModulatedGCN, ModulatedGCNConfig
from ampose.research.models.p_stmo import PSTMO, PSTMOConfig
from ampose.research.models.poseformer import PoseFormer, PoseFormerConfig
from ampose.research.models.refiner import Refined, RefinedConfig
from ampose.research.models.semgcn import SemGCN, SemGCNConfig
from ampose.research.models.srnet import SRNet, SRNetConfig
from ampose.research.models.stacked_hourglass import StackedHourglass, StackedHourglassConfig
from ampose.research.models.uncertain import Uncertain, UncertainConfig
from ampose.research.models.videopose3d import VideoPose3D, VideoPose3DConfig
from ampose.research.models.weight_sharing import WeightSharing, WeightSharingConfig

ModelConfig = (
    AMPoseConfig
    | MartinezConfig
    | RefinedConfig
    | UncertainConfig
    | VideoPose3DConfig
    | JointFormerConfig
    | GraphMLPConfig
    | PoseFormerConfig
    | SemGCNConfig
    | CaiSTGCNConfig
    | ModulatedGCNConfig
    | WeightSharingConfig
    | GraFormerConfig
    | LCNConfig
    | SRNetConfig
    | StackedHourglassConfig
    | MixSTEConfig
    | MHFormerConfig
    | PSTMOConfig
)

ZOO: dict[str, tuple[type[ModelConfig], type[nn.Module]]] = {
    "ampose": (AMPoseConfig, AMPose),
    "martinez": (MartinezConfig, Martinez),
    "refined": (RefinedConfig, Refined),
    "uncertain": (UncertainConfig, Uncertain),
    "videopose3d": (VideoPose3DConfig, VideoPose3D),
    "jointformer": (JointFormerConfig, JointFormer),
    "graphmlp": (GraphMLPConfig, GraphMLP),
    "poseformer": (PoseFormerConfig, PoseFormer),
    "semgcn": (SemGCNConfig, SemGCN),
    "cai_stgcn": (CaiSTGCNConfig, CaiSTGCN),
    "modulated_gcn": (ModulatedGCNConfig, ModulatedGCN),
    "weight_sharing": (WeightSharingConfig, WeightSharing),
    "graformer": (GraFormerConfig, GraFormer),
    "lcn": (LCNConfig, LCN),
    "srnet": (SRNetConfig, SRNet),
    "stacked_hourglass": (StackedHourglassConfig, StackedHourglass),
    "mixste": (MixSTEConfig, MixSTE),
    "mhformer": (MHFormerConfig, MHFormer),
    "p_stmo": (PSTMOConfig, PSTMO),
}
"""Name to configuration and network. Every network maps (B, T, J, channels) to (B, J, 3)."""


def build(config: ModelConfig) -> nn.Module:
    """A network with fresh weights."""
    for config_type, network in ZOO.values():
        if isinstance(config, config_type):
            return network(config)
    raise TypeError(f"no network for {type(config).__name__}")
